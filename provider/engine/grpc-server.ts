/**
 * Turns the resource-provider protocol into plain calls of {@link Resource}, and back. It knows nothing about Apache.
 */
import * as grpc from "@grpc/grpc-js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import services from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";
import any from "google-protobuf/google/protobuf/any_pb.js";
import empty from "google-protobuf/google/protobuf/empty_pb.js";
import { shown, shownLines } from "../../core/shown.ts";
import { type EngineLog, engineLog } from "./engine-log.ts";
import { type Context, type DiffKind, PartialFailure, type Resource } from "./resource.ts";
import { parseUrn } from "./urn.ts";
import { fromStruct, toStruct } from "./values.ts";

export interface ServerOptions {
  readonly resources: readonly Resource[];
  /** The Pulumi package schema. `pulumi import` writes code from it. */
  readonly schema: () => Promise<string>;
  readonly version: string;
  /** The address at which the engine listens. Without it, the first handshake or attach gives the address. */
  readonly engineAddress?: string | undefined;
}

export interface Server {
  readonly port: number;
  /** Ends at once. Pending calls are cut. */
  close(): Promise<void>;
}

/** Starts the server on a free loopback port. Resolves when it listens. */
export async function serve(options: ServerOptions): Promise<Server> {
  const session = newSession(options);
  // -1: messages of any length, because facts may be long.
  const server = new grpc.Server({ "grpc.max_receive_message_length": -1, "grpc.max_send_message_length": -1 });
  server.addService(services.ResourceProviderService, { ...protocolMethods(session), ...resourceMethods(session) });
  const port = await new Promise<number>((resolve, reject) => {
    const onBound = (error: Error | null, free: number): void => (error === null ? resolve(free) : reject(error));
    // For port 0, the system chooses a free port.
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), onBound);
  });
  const close = async (): Promise<void> => {
    server.forceShutdown();
    await cancel(session);
  };
  return { port, close };
}

interface Session {
  readonly options: ServerOptions;
  readonly log: EngineLog;
  engineAddress: string | undefined;
  /**
   * The controllers of every call that runs now. There is not one for the whole process, because Cancel also comes at a
   * normal end.
   */
  readonly running: Set<AbortController>;
  isCancelled: boolean;
}

/** The state of a server without any call yet. */
function newSession(options: ServerOptions): Session {
  // The address may be known only after the handshake, so the log asks for it each time.
  const log = engineLog(() => session.engineAddress);
  const session: Session = {
    options,
    log,
    engineAddress: options.engineAddress,
    running: new Set(),
    isCancelled: false,
  };
  return session;
}

/**
 * Tells every running call to stop; each one stops where that does no harm. This does not wait for them: the last call
 * that ends closes the connections.
 */
async function cancel(session: Session): Promise<void> {
  session.isCancelled = true;
  for (const controller of session.running) controller.abort(new Error("cancelled"));
  await closeWhenIdle(session);
}

/** Closes the connections once the engine has cancelled and no call runs any more. */
async function closeWhenIdle({ isCancelled, running, options }: Session): Promise<void> {
  if (isCancelled && running.size === 0) await Promise.all(options.resources.map((resource) => resource.close()));
}

type Method<Request, Response> = (request: Request) => Promise<Response> | Response;

/**
 * A method in the form that grpc-js expects. Every error, also one that is thrown at once, becomes its message, never a
 * stack trace.
 */
function unary<Request, Response>(method: Method<Request, Response>): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    Promise.resolve()
      .then(() => method(call.request))
      .then((response) => callback(null, response))
      .catch((error: unknown) => callback(serviceError(error)));
  };
}

/** An error as grpc-js sends it. A partial failure carries the state of the resource. */
function serviceError(error: unknown): Partial<grpc.StatusObject> {
  const details = shownLines(error instanceof Error ? error.message : String(error));
  if (error instanceof PartialFailure) {
    return { code: grpc.status.UNKNOWN, details, metadata: initializationFailed(error, details) };
  }
  return { code: grpc.status.UNKNOWN, details };
}

/**
 * The metadata with the state of a resource that exists but is not as it should be. Structured errors are sent in
 * `grpc-status-details-bin`, because grpc-js has no better way for them.
 */
function initializationFailed(error: PartialFailure, details: string): grpc.Metadata {
  const failure = new messages.ErrorResourceInitFailed()
    .setId(error.state.id)
    .setProperties(toStruct(error.state.outputs))
    .setReasonsList(error.reasons.map(shownLines));
  const packed = new any.Any();
  packed.pack(failure.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");
  const richStatus = new status.Status().setCode(grpc.status.UNKNOWN).setMessage(details).setDetailsList([packed]);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(richStatus.serializeBinary()));
  return metadata;
}

/**
 * The methods about the plugin itself. The plugin has no configuration: what is needed to log in never passes through
 * Pulumi.
 */
function protocolMethods(session: Session) {
  return {
    handshake: unary((request: messages.ProviderHandshakeRequest) => {
      session.engineAddress ??= request.getEngineAddress();
      // The values arrive as plain values, and the engine marks the same top-level keys as secret again.
      return new messages.ProviderHandshakeResponse().setAcceptSecrets(false);
    }),
    attach: unary((request: plugin.PluginAttach) => {
      session.engineAddress = request.getAddress();
      return new empty.Empty();
    }),
    configure: unary(() => new messages.ConfigureResponse().setSupportspreview(true)),
    checkConfig: unary((request: messages.CheckRequest) => new messages.CheckResponse().setInputs(request.getNews())),
    diffConfig: unary(() => new messages.DiffResponse().setChanges(messages.DiffResponse.DiffChanges.DIFF_NONE)),
    getPluginInfo: unary(() => new plugin.PluginInfo().setVersion(session.options.version)),
    getSchema: unary(async () => new messages.GetSchemaResponse().setSchema(await session.options.schema())),
    cancel: unary(async () => {
      await cancel(session);
      return new empty.Empty();
    }),
  };
}

/** The methods about resources. Any other method of the protocol is answered as not implemented. */
function resourceMethods(session: Session) {
  return {
    check: unary((request: messages.CheckRequest) => check(session, request)),
    diff: unary((request: messages.DiffRequest) => diff(session, request)),
    create: unary((request: messages.CreateRequest) => create(session, request)),
    read: unary((request: messages.ReadRequest) => read(session, request)),
    update: unary((request: messages.UpdateRequest) => update(session, request)),
    delete: unary((request: messages.DeleteRequest) => remove(session, request)),
  };
}

// In these requests, `news` are the inputs that the program gives now. `olds` are the old inputs in Check, and the old
// outputs in Diff and Update.

/** Answers Check: the complete inputs, and what is wrong with them. */
async function check(session: Session, request: messages.CheckRequest): Promise<messages.CheckResponse> {
  const args = { oldInputs: fromStruct(request.getOlds()), inputs: fromStruct(request.getNews()) };
  const result = await withContext(session, request, {}, (resource, context) => resource.check(args, context));
  const failures = result.failures.map(({ property, reason }) =>
    new messages.CheckFailure().setProperty(property).setReason(shownLines(reason)),
  );
  return new messages.CheckResponse().setInputs(toStruct(result.inputs)).setFailuresList(failures);
}

/** Answers Diff: what differs, by property path. */
async function diff(session: Session, request: messages.DiffRequest): Promise<messages.DiffResponse> {
  const args = {
    id: request.getId(),
    oldInputs: fromStruct(request.getOldInputs()),
    oldOutputs: fromStruct(request.getOlds()),
    inputs: fromStruct(request.getNews()),
  };
  const result = await withContext(session, request, {}, (resource, context) => resource.diff(args, context));
  return diffResponse(result.detailedDiff, result.replaces);
}

const { Kind } = messages.PropertyDiff;
/** Pulumi's name of each kind of difference, by whether the resource is kept or replaced. */
const kinds = {
  keep: { add: Kind.ADD, delete: Kind.DELETE, update: Kind.UPDATE },
  replace: { add: Kind.ADD_REPLACE, delete: Kind.DELETE_REPLACE, update: Kind.UPDATE_REPLACE },
} as const;

/** The answer to Diff, from the differences by property path. Where there is none, nothing changes. */
function diffResponse(detailed: Readonly<Record<string, DiffKind>>, replaces: readonly string[]) {
  const paths = Object.entries(detailed);
  const { DIFF_SOME, DIFF_NONE } = messages.DiffResponse.DiffChanges;
  const response = new messages.DiffResponse()
    .setChanges(paths.length > 0 ? DIFF_SOME : DIFF_NONE)
    .setDiffsList([...new Set(paths.map(([path]) => topLevelKey(path)))])
    .setReplacesList([...replaces])
    .setHasdetaileddiff(true);
  for (const [path, kind] of paths) {
    const kindsOfPath = replaces.includes(path) ? kinds.replace : kinds.keep;
    // The difference is shown as old output → new input, so that drift is seen, which only outputs have.
    response
      .getDetaileddiffMap()
      .set(shown(path), new messages.PropertyDiff().setKind(kindsOfPath[kind]).setInputdiff(false));
  }
  return response;
}

/** The property in which a path begins, such as `files` for `files["/etc/a"]`. */
function topLevelKey(path: string): string {
  return /^[^.[]+/.exec(path)?.[0] ?? path;
}

/** Answers Create: the id and the outputs of the new resource. */
async function create(session: Session, request: messages.CreateRequest): Promise<messages.CreateResponse> {
  const inputs = fromStruct(request.getProperties());
  const state = await withContext(session, request, limitsOf(request), (resource, context) =>
    resource.create({ inputs }, context),
  );
  return new messages.CreateResponse().setId(state.id).setProperties(toStruct(state.outputs));
}

/** Answers Read: the resource as it is now, or an empty answer where it no longer exists. */
async function read(session: Session, request: messages.ReadRequest): Promise<messages.ReadResponse> {
  const args = {
    id: requireId(request.getId()),
    inputs: fromStruct(request.getInputs()),
    outputs: fromStruct(request.getProperties()),
  };
  const state = await withContext(session, request, {}, (resource, context) => resource.read(args, context));
  // An empty id means that the resource no longer exists.
  if (state === undefined) return new messages.ReadResponse();
  return new messages.ReadResponse()
    .setId(state.id)
    .setProperties(toStruct(state.outputs))
    .setInputs(toStruct(state.inputs));
}

/** Answers Update: the new outputs. */
async function update(session: Session, request: messages.UpdateRequest): Promise<messages.UpdateResponse> {
  const args = {
    id: requireId(request.getId()),
    oldInputs: fromStruct(request.getOldInputs()),
    oldOutputs: fromStruct(request.getOlds()),
    inputs: fromStruct(request.getNews()),
  };
  const outputs = await withContext(session, request, limitsOf(request), (resource, context) =>
    resource.update(args, context),
  );
  return new messages.UpdateResponse().setProperties(toStruct(outputs));
}

async function remove(session: Session, request: messages.DeleteRequest): Promise<empty.Empty> {
  const args = {
    id: requireId(request.getId()),
    inputs: fromStruct(request.getOldInputs()),
    outputs: fromStruct(request.getProperties()),
  };
  const options = { timeoutSeconds: request.getTimeout() };
  await withContext(session, request, options, (resource, context) => resource.delete(args, context));
  return new empty.Empty();
}

/** The id of a request. Throws an error where it is empty. */
function requireId(id: string): string {
  if (id === "") throw new Error("the request has no id; a resource is read, changed and deleted by its id");
  return id;
}

interface Limits {
  readonly preview?: boolean;
  /** 0 means that there is no limit. The engine does not enforce the limit, so the plugin must. */
  readonly timeoutSeconds?: number;
}

function limitsOf(request: messages.CreateRequest | messages.UpdateRequest): Limits {
  return { preview: request.getPreview(), timeoutSeconds: request.getTimeout() };
}

/**
 * Runs one call of the resource that `request` is about. The signal of the call is aborted when the engine cancels, or
 * when the time limit has passed. The call ends only when everything that it logged has arrived.
 */
async function withContext<Result>(
  session: Session,
  request: { getUrn(): string },
  { preview = false, timeoutSeconds = 0 }: Limits,
  call: (resource: Resource, context: Context) => Promise<Result>,
): Promise<Result> {
  const urn = request.getUrn();
  const resource = requireResource(session, urn);
  const controller = new AbortController();
  const expire = (): void => controller.abort(new Error(`not done within its time limit of ${timeoutSeconds} s`));
  const timer = timeoutSeconds > 0 ? setTimeout(expire, timeoutSeconds * 1000) : undefined;
  session.running.add(controller);
  try {
    return await call(resource, contextOf(session.log, urn, preview, controller.signal));
  } finally {
    clearTimeout(timer);
    session.running.delete(controller);
    await session.log.flush();
    await closeWhenIdle(session);
  }
}

/** What a call gets beside its data. Its steps and messages name its resource. */
function contextOf(log: EngineLog, urn: string, preview: boolean, signal: AbortSignal): Context {
  return {
    urn,
    preview,
    signal,
    progress: (step) => log.progress(urn, step),
    log: (severity, text) => log.log(urn, severity, text),
  };
}

/** The resource of the type that the URN names. Throws an error where this provider has no such type. */
function requireResource(session: Session, urn: string): Resource {
  const { type } = parseUrn(urn);
  const resource = session.options.resources.find((candidate) => candidate.type === type);
  if (resource !== undefined) return resource;
  const known = session.options.resources.map((candidate) => candidate.type).join(", ");
  throw new Error(`${JSON.stringify(type)} is not a type of this provider; it has ${known}`);
}
