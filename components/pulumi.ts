/**
 * The parts of Pulumi's SDK that a program needs. The whole SDK also loads the automation API, with npm's arborist, and
 * TypeScript, which takes 0.7 s in each run.
 */
export { ResourceError } from "@pulumi/pulumi/errors.js";
export * as log from "@pulumi/pulumi/log/index.js";
export { getOrganization, getProject, getStack } from "@pulumi/pulumi/metadata.js";
export { Output, output, type Input } from "@pulumi/pulumi/output.js";
export {
  ComponentResource,
  CustomResource,
  mergeOptions,
  type ComponentResourceOptions,
  type CustomResourceOptions,
} from "@pulumi/pulumi/resource.js";
