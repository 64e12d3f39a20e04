#!/usr/bin/env node
/**
 * Bundles the two programs: the resource plugin, which the engine starts by itself, and the command line. A bundle
 * starts in half the time that the sources need with tsx, and the engine needs a file that it can execute.
 */
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { isMain, main, root, say, since } from "./steps.mjs";

/** Maps each entry point to its program. */
const programs = {
  "provider/main.ts": "build/provider/pulumi-resource-clientcert",
  "cli/main.ts": "build/cli/clientcert",
};

/**
 * The programs that `pulumi package get-schema build/provider` starts when it gets a folder: a program without a name
 * (3.259), or one with the name of the folder (earlier engines).
 */
const schemaPrograms = ["build/provider/pulumi-resource-", "build/provider/pulumi-resource-provider"];

/**
 * Large libraries that a start does not need. Each is a file of its own: inside a bundle it would be read and scanned
 * at every start, also with `--help`, even when it is imported late.
 */
const libraries = ["ssh2", "zod"];
const libraryFile = (name) => `build/library/${name}.cjs`;

const options = {
  bundle: true,
  platform: "node",
  target: "node20.19",
  // Node starts CommonJS 60 ms sooner than an ES module in a file without an extension.
  format: "cjs",
  // Node scans a whole program before it runs the first line, so the length counts. Names are kept for error messages.
  minifyWhitespace: true,
  minifySyntax: true,
  external: [
    // ssh2 requires these inside `try` and can do without them. Only some machines have them, so no bundle may include
    // them.
    "cpu-features",
    "*/sshcrypto.node",
    // This is a quarter of the plugin. gRPC reads the .proto files of its admin service with it, and this plugin has no
    // such service.
    "@grpc/proto-loader",
  ],
  // `import()` becomes `require()`. For `import()` Node reads a CommonJS library twice, which costs 30 ms with ssh2.
  supported: { "dynamic-import": false },
  absWorkingDir: root,
  write: false,
  logLevel: "silent",
};

const firstLine = "#!/usr/bin/env node\n";

/** Everything that the bundles are made from. Folders count, too: their time changes when a file is removed. */
const sources = ["host", "provider", "cli", "core", "scripts/build.mjs", "package-lock.json"];

/** Builds everything when a source is newer than the bundles. Returns whether there was something to do. */
export async function build() {
  const absent = Object.keys(programs).filter((entry) => !existsSync(join(root, entry)));
  if (absent.length > 0) throw new Error(`build: ${absent.join(", ")}: no such file, so there is nothing to bundle`);
  if (isFresh()) return false;
  // esbuild is loaded here, so that set-up does not spend time on it when everything is built already.
  const esbuild = await import("esbuild");
  for (const name of libraries) await bundle(esbuild, library(name), libraryFile(name));
  for (const [entry, file] of Object.entries(programs)) await bundle(esbuild, program(entry), file);
  // These are not links, because npm packs no links.
  for (const file of schemaPrograms) replaceFile(file, `${firstLine}require("./pulumi-resource-clientcert");\n`);
  return true;
}

/**
 * The functions of zod that the schemas use. The rest is left out, with its messages in fifty languages: the whole of
 * zod takes twice as long to load.
 */
const zodFunctions = [
  ...["array", "boolean", "custom", "discriminatedUnion", "enum", "int", "literal", "looseObject", "number", "record"],
  ...["strictObject", "string", "toJSONSchema", "union"],
];
const named = (prefix) => zodFunctions.map((name) => `${name}${prefix}${name}`).join(", ");

const librarySources = {
  ssh2: 'module.exports = require("ssh2");',
  zod: `import { ${named(" as zod_")} } from "zod";\nexport const z = { ${named(": zod_")} };`,
};
const library = (name) => ({ stdin: { contents: librarySources[name], resolveDir: root } });

const program = (entry) => ({
  entryPoints: [entry],
  // CommonJS has no `import.meta`. The place of the bundle serves as well to find the checkout.
  banner: { js: 'const bundleUrl = require("node:url").pathToFileURL(__filename).href;' },
  define: { "import.meta.url": "bundleUrl" },
  plugins: [{ name: "libraries", setup: redirectLibraries }],
});

/** Makes a program load a library from the library's own file, by its path from `build/<program>/`. */
function redirectLibraries(bundler) {
  bundler.onResolve({ filter: /^[^.]/ }, ({ path }) =>
    libraries.includes(path) ? { path: `../../${libraryFile(path)}`, external: true } : undefined,
  );
}

/** Fails where a program calls a function of zod that the library leaves out: that would show only when it is called. */
function requireZodFunctions(text) {
  const used = [...text.matchAll(/\bimport_zod\d*\.z\.(\w+)/g)].map(([, name]) => name);
  const missing = used.find((name) => !zodFunctions.includes(name));
  if (missing !== undefined)
    throw new Error(`build: z.${missing} is used and left out; add it to zodFunctions in scripts/build.mjs`);
}

async function bundle(esbuild, input, file) {
  const result = await esbuild.build({ ...options, ...input }).catch((error) => {
    const [first] = error.errors ?? [];
    const place = first?.location ? `${first.location.file}:${first.location.line}:${first.location.column}` : file;
    throw new Error(`build: ${place}: ${first?.text ?? error.message}`);
  });
  const { text } = result.outputFiles[0];
  requireZodFunctions(text);
  // esbuild keeps the first line of an entry point that begins with `#!`.
  replaceFile(file, text.startsWith("#!") ? text : firstLine + text);
}

/** Replaces a file in one rename, because an engine may start the plugin during the build. */
function replaceFile(file, contents) {
  const path = join(root, file);
  mkdirSync(dirname(path), { recursive: true });
  // This file declares that the programs beside it are CommonJS. The package.json of the checkout declares ES modules.
  writeFileSync(join(dirname(path), "package.json"), '{ "type": "commonjs" }\n');
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  chmodSync(temporary, 0o755);
  renameSync(temporary, path);
}

function isFresh() {
  const built = [...libraries.map(libraryFile), ...Object.values(programs), ...schemaPrograms];
  const files = built.map((file) => join(root, file));
  if (!files.every((file) => existsSync(file))) return false;
  const oldest = Math.min(...files.map((file) => statSync(file).mtimeMs));
  return sources.every((source) => newest(join(root, source)) < oldest);
}

/** Returns the time of the latest change of a file, or of a folder and everything in it. */
function newest(path) {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.mtimeMs;
  return Math.max(stats.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

if (isMain(import.meta.url)) {
  await main(async () => {
    const start = performance.now();
    say((await build()) ? `build: done in ${since(start)}` : "build: already there");
  });
}
