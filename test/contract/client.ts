/** Speaks to a provider as the engine does, in plain objects. */
import * as grpc from "@grpc/grpc-js";
import { ResourceProviderClient } from "@pulumi/pulumi/proto/provider_grpc_pb.js";
import messages from "@pulumi/pulumi/proto/provider_pb.js";
import status from "@pulumi/pulumi/proto/status_pb.js";
import type jspb from "google-protobuf";
import protobuf from "google-protobuf/google/protobuf/struct_pb.js";

export type Bag = Readonly<Record<string, unknown>>;

export interface InitFailure {
  readonly id: string;
  readonly properties: Bag;
  readonly reasons: readonly string[];
}

export class ProviderClient {
  readonly #client: ResourceProviderClient;
  readonly urn: string;

  constructor(port: number, urn = "urn:pulumi:lab::clientcert::clientcert:apache:ClientAuth::web1") {
    this.#client = new ResourceProviderClient(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
    this.urn = urn;
  }

  close(): void {
    this.#client.close();
  }

  /** One raw call. */
  call<Response>(method: keyof ResourceProviderClient, request: jspb.Message): Promise<Response> {
    return new Promise((resolve, reject) => {
      const done = (error: grpc.ServiceError | null, response: Response): void =>
        error === null ? resolve(response) : reject(error);
      // as: every unary method of the stub has this form
      (this.#client[method] as unknown as (request: jspb.Message, done: unknown) => void).call(
        this.#client,
        request,
        done,
      );
    });
  }

  async check(inputs: Bag, oldInputs: Bag = {}): Promise<{ inputs: Bag; failures: string[] }> {
    const request = new messages.CheckRequest().setUrn(this.urn).setNews(struct(inputs)).setOlds(struct(oldInputs));
    const response = await this.call<messages.CheckResponse>("check", request);
    return {
      inputs: plain(response.getInputs()),
      failures: response.getFailuresList().map((item) => item.getReason()),
    };
  }

  async diff(id: string, old: { inputs: Bag; outputs: Bag }, inputs: Bag): Promise<Record<string, string>> {
    const request = new messages.DiffRequest()
      .setId(id)
      .setUrn(this.urn)
      .setOlds(struct(old.outputs))
      .setOldInputs(struct(old.inputs))
      .setNews(struct(inputs));
    const response = await this.call<messages.DiffResponse>("diff", request);
    const names = Object.entries(messages.PropertyDiff.Kind);
    const kind = (value: number): string => names.find(([, number]) => Number(number) === Number(value))?.[0] ?? "";
    const changes = Object.fromEntries(
      [...response.getDetaileddiffMap().entries()].map(([path, diff]) => [path, kind(diff.getKind())]),
    );
    const isSome = response.getChanges() === messages.DiffResponse.DiffChanges.DIFF_SOME;
    if (isSome !== Object.keys(changes).length > 0) throw new Error("changes and detailed diff disagree");
    return changes;
  }

  async create(
    inputs: Bag,
    options: { preview?: boolean; timeout?: number } = {},
  ): Promise<{ id: string; outputs: Bag }> {
    const request = new messages.CreateRequest()
      .setUrn(this.urn)
      .setProperties(struct(inputs))
      .setPreview(options.preview ?? false)
      .setTimeout(options.timeout ?? 0);
    const response = await this.call<messages.CreateResponse>("create", request);
    return { id: response.getId(), outputs: plain(response.getProperties()) };
  }

  async read(id: string, state?: { inputs: Bag; outputs: Bag }): Promise<{ id: string; inputs: Bag; outputs: Bag }> {
    const request = new messages.ReadRequest().setId(id).setUrn(this.urn);
    if (state !== undefined) request.setInputs(struct(state.inputs)).setProperties(struct(state.outputs));
    const response = await this.call<messages.ReadResponse>("read", request);
    return { id: response.getId(), inputs: plain(response.getInputs()), outputs: plain(response.getProperties()) };
  }

  async update(id: string, old: { inputs: Bag; outputs: Bag }, inputs: Bag, preview = false): Promise<Bag> {
    const request = new messages.UpdateRequest()
      .setId(id)
      .setUrn(this.urn)
      .setOlds(struct(old.outputs))
      .setOldInputs(struct(old.inputs))
      .setNews(struct(inputs))
      .setPreview(preview);
    const response = await this.call<messages.UpdateResponse>("update", request);
    return plain(response.getProperties());
  }

  async delete(id: string, state: { inputs: Bag; outputs: Bag }): Promise<void> {
    const request = new messages.DeleteRequest()
      .setId(id)
      .setUrn(this.urn)
      .setProperties(struct(state.outputs))
      .setOldInputs(struct(state.inputs));
    await this.call("delete", request);
  }
}

/** The structured part of an error that says "created, but not well"; undefined when it is a plain error. */
export function initFailure(error: unknown): InitFailure | undefined {
  const { metadata } = error as grpc.ServiceError; // what a rejected call brings
  const [bytes] = metadata.get("grpc-status-details-bin");
  if (!Buffer.isBuffer(bytes)) return undefined;
  const [detail] = status.Status.deserializeBinary(bytes).getDetailsList();
  const failure = messages.ErrorResourceInitFailed.deserializeBinary(detail?.getValue_asU8() ?? new Uint8Array());
  return { id: failure.getId(), properties: plain(failure.getProperties()), reasons: failure.getReasonsList() };
}

export function struct(properties: Bag): protobuf.Struct {
  return protobuf.Struct.fromJavaScript(properties as { [key: string]: protobuf.JavaScriptValue }); // plain JSON
}

const plain = (value: protobuf.Struct | undefined): Bag => value?.toJavaScript() ?? {};
