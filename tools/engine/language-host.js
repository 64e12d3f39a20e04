/**
 * A stand-in for Pulumi's Node language host, for machines that cannot download it: it only runs programs.
 *
 * The engine starts it with the engine's address as last argument and reads a port from the first line of its output.
 * It passes to `@pulumi/pulumi/cmd/run` what Pulumi's own host passes (sdk/nodejs/cmd/pulumi-language-nodejs, 3.259.0).
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { connect } from "node:net";
import { resolve } from "node:path";
import grpc from "@grpc/grpc-js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import services from "@pulumi/pulumi/proto/language_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";

/** `cmd/run` ends with this status when it has already told the engine what went wrong. */
const alreadyReported = 32;
/** How often to look whether the engine still lives: it may have been killed without a word to us. */
const parentCheckMilliseconds = 500;

const engineAddress = process.argv.at(-1) ?? "";
/** Programs that run now. */
const programs = new Set();

const methods = {
  handshake: answer(() => new messages.LanguageHandshakeResponse()),
  getRequiredPackages: answer(() => new messages.GetRequiredPackagesResponse()),
  getRequiredPlugins: answer(() => new messages.GetRequiredPluginsResponse()),
  getPluginInfo: answer(() => new plugin.PluginInfo().setVersion("3.259.0")),
  cancel: answer(() => new empty.Empty()),
  run: answer(runProgram),
};

/** A method that answers with what `make` returns; the stubs' other methods stay UNIMPLEMENTED. */
function answer(make) {
  return (call, callback) => {
    Promise.resolve(make(call.request)).then(
      (response) => callback(null, response),
      (error) => callback({ code: grpc.status.UNKNOWN, message: String(error.message) }),
    );
  };
}

function runProgram(request) {
  const options = request.getInfo()?.getOptions()?.toJavaScript() ?? {};
  const child = spawn(process.execPath, programArguments(request, options), {
    cwd: request.getPwd(),
    env: programEnvironment(request, options),
    stdio: ["ignore", "inherit", "inherit"],
  });
  programs.add(child);
  return new Promise((done, failed) => {
    child.on("error", failed);
    child.on("exit", (status, signal) => {
      programs.delete(child);
      done(runResponse(status, signal));
    });
  });
}

function programArguments(request, options) {
  const nodeArguments = String(options.nodeargs ?? "")
    .split(" ")
    .filter((argument) => argument !== "");
  const entryPoint = request.getInfo()?.getEntryPoint() || ".";
  const programFolder = request.getInfo()?.getProgramDirectory() || request.getPwd();
  const runner = createRequire(resolve(programFolder, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  return [
    ...nodeArguments,
    runner,
    ...["--monitor", request.getMonitorAddress()],
    ...["--engine", engineAddress],
    ...["--organization", request.getOrganization()],
    ...["--project", request.getProject()],
    ...["--stack", request.getStack()],
    ...["--pwd", request.getPwd()],
    ...(request.getDryrun() ? ["--dry-run"] : []),
    ...["--parallel", String(request.getParallel())],
    entryPoint,
    ...request.getArgsList(),
  ];
}

function programEnvironment(request, options) {
  return {
    ...process.env,
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    ...(options.typescript === false ? {} : { PULUMI_NODEJS_TYPESCRIPT: "true" }),
  };
}

function runResponse(status, signal) {
  const response = new messages.RunResponse();
  if (status === alreadyReported) return response.setBail(true);
  if (status === 0) return response;
  return response.setError(`the program ended with ${signal === null ? `status ${status}` : `signal ${signal}`}`);
}

/** Ends with the engine, and takes the programs along. */
function exit() {
  for (const program of programs) program.kill();
  process.exit(0);
}

const engine = process.ppid;
// An engine that had ended before we looked, as at a mistake on its command line, has left us to the first process.
if (engine === 1) {
  const [host, port] = engineAddress.split(":");
  connect({ host, port: Number(port) }, function () {
    this.end();
  }).on("error", exit);
}
setInterval(() => process.ppid !== engine && exit(), parentCheckMilliseconds).unref();
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, exit);

const server = new grpc.Server();
server.addService(services.LanguageRuntimeService, methods);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
