import tseslint from "typescript-eslint";
import { declarations, inputRules } from "./scripts/lint-inputs.mjs";

/**
 * Imports point one way (docs/decisions/0003): index.ts → components → provider → core; cli may use provider and core.
 * What a layer must not import, by the folder's name in the import path.
 */
const forbiddenFolders = {
  core: ["provider", "components", "cli", "lab", "test", "bench", "scripts"],
  provider: ["components", "cli", "lab", "test", "bench", "scripts"],
  cli: ["components", "lab", "test", "bench", "scripts"],
  components: ["cli", "lab", "test", "bench", "scripts"],
  lab: ["components", "cli", "test", "bench"],
};

const sshLibrary = { regex: "^ssh2($|/)", message: "only provider/remote/login.ts talks to the SSH library" };
const effects = {
  regex:
    "^(node:)?(fs|net|tls|http|https|http2|dgram|dns|os|child_process|worker_threads|cluster|process|timers|readline)($|/)",
  message: "core/ is pure: data in, data out",
};
const pulumi = { regex: "^@(pulumi|grpc)/", message: "core/ knows no Pulumi" };

const wholeSdk = {
  regex: "^@pulumi/pulumi$",
  message: "import components/pulumi.ts, which loads only what a program needs",
};

/** The import rule of one layer: no folder above it, plus `more`. */
function layer(name, more) {
  const folders = forbiddenFolders[name].join("|");
  const upward = {
    regex: `^\\.{1,2}/(.*/)?(${folders})/|^\\.{1,2}/(\\.\\./)*index\\.ts$`,
    message: "imports point one way: index.ts → components → provider → core",
  };
  return { "no-restricted-imports": ["error", { patterns: [upward, ...more] }] };
}

/** Within core/: what is true of certificates knows no CRL download, and neither knows a kind of server. */
const within = (folders) => ({
  regex: `^\\.\\./(${folders.join("|")})/`,
  message: "core/ is one way as well: site → apache → crl-refresh → pki",
});
/** The stages of one kind of server: its configuration is read, facts are found in it, a change is planned of them. */
const stages = (folders) => ({
  regex: `^\\.\\./(${folders.join("|")})/`,
  message: "within a kind of server: plan → facts → config",
});
const coreOf = (...more) => layer("core", [sshLibrary, effects, pulumi, ...more]);

/** The resource is for servers of any kind: what it needs of one is in core/server-kind.ts. */
const kinds = {
  regex: "^\\.{1,2}/(.*/)?apache(/|\\.ts$)",
  message: "provider/resource/ knows no kind of server: ask ServerKind",
};

/** A plan must come out the same at any time: the clock and chance are inputs. */
const pure = [
  ["CallExpression[callee.object.name='Date'][callee.property.name='now']", "core/ has no clock: pass the time in"],
  ["NewExpression[callee.name='Date'][arguments.length=0]", "core/ has no clock: pass the time in"],
  ["CallExpression[callee.object.name='Math'][callee.property.name='random']", "core/ has no random numbers"],
  ["CallExpression[callee.name=/^random(Bytes|Int|UUID)$/]", "core/ has no random numbers"],
  ["MemberExpression[object.name='process']", "core/ knows no process"],
].map(([selector, message]) => ({ selector, message }));

const size = { skipBlankLines: true, skipComments: true };

export default tseslint.config(
  { ignores: ["node_modules/", "build/", "**/*.d.ts"] },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      eqeqeq: "error",
      "no-param-reassign": "error",
      "no-console": "error",
      "no-empty": ["error", { allowEmptyCatch: false }],
      "max-lines": ["error", { max: 300, ...size }],
      "max-lines-per-function": ["error", { max: 40, ...size }],
      complexity: ["error", 15],
      "max-depth": ["error", 4],
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/switch-exhaustiveness-check": ["error", { considerDefaultExhaustiveForUnions: true }],
      // Numbers and booleans read well in a message; objects, undefined and null do not.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // An async method without await satisfies an interface that promises.
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", ignoreRestSiblings: true }],
    },
  },
  {
    files: ["core/**/*.ts"],
    rules: { ...coreOf(), "no-restricted-syntax": ["error", ...pure] },
  },
  { files: ["core/pki/**/*.ts"], rules: coreOf(within(["apache", "crl-refresh", "site"])) },
  { files: ["core/connection/**/*.ts"], rules: coreOf(within(["apache", "crl-refresh", "pki", "site"])) },
  { files: ["core/crl-refresh/**/*.ts"], rules: coreOf(within(["apache", "site"])) },
  { files: ["core/apache/*.ts"], rules: coreOf(within(["site"])) },
  { files: ["core/apache/*/**/*.ts"], rules: coreOf(within(["../site"])) },
  { files: ["core/apache/config/**/*.ts"], rules: coreOf(within(["../site"]), stages(["facts", "plan"])) },
  { files: ["core/apache/facts/**/*.ts"], rules: coreOf(within(["../site"]), stages(["plan"])) },
  {
    files: ["index.ts", "core/**/*.ts", "provider/**/*.ts", "components/**/*.ts", "cli/**/*.ts"],
    // What core/pki is told has such names as well, and it is below what declares inputs.
    ignores: [...declarations, "core/pki/**"],
    plugins: { inputs: inputRules },
    rules: { "inputs/declared-once": "error" },
  },
  { files: declarations, plugins: { inputs: inputRules }, rules: { "inputs/described": "error" } },
  { files: ["provider/**/*.ts"], rules: layer("provider", [sshLibrary]) },
  { files: ["provider/resource/**/*.ts"], rules: layer("provider", [sshLibrary, kinds]) },
  { files: ["provider/remote/login.ts"], rules: layer("provider", []) },
  { files: ["components/**/*.ts"], rules: layer("components", [sshLibrary, wholeSdk]) },
  { files: ["cli/**/*.ts"], rules: { ...layer("cli", [sshLibrary]), "no-console": "off" } },
  { files: ["lab/**/*.ts"], rules: { ...layer("lab", []), "no-console": "off" } },
  { files: ["index.ts"], rules: { "no-restricted-imports": ["error", { patterns: [sshLibrary, wholeSdk] }] } },
  {
    // `describe` is one long function by nature.
    files: ["test/**/*.ts"],
    rules: {
      "max-lines-per-function": "off",
      "max-lines": ["error", { max: 500, ...size }],
      // mocha's `this`, assert's methods and chains of fast-check read better so.
      "@typescript-eslint/unbound-method": "off",
    },
  },
  { files: ["bench/**/*.ts"], rules: { "no-console": "off" } },
  { files: ["**/*.cjs"], languageOptions: { sourceType: "commonjs" } },
  {
    files: ["**/*.mjs", "**/*.cjs"],
    languageOptions: {
      // What this Node has; `npm run test:nodes` shows what another one lacks.
      globals: Object.fromEntries(Object.getOwnPropertyNames(globalThis).map((name) => [name, "readonly"])),
    },
    rules: {
      "no-undef": "error",
      "no-unused-vars": "error",
      eqeqeq: "error",
      "prefer-const": "error",
      "max-lines": ["error", { max: 300, ...size }],
      "max-lines-per-function": ["error", { max: 40, ...size }],
    },
  },
);
