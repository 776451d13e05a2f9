/** What a Pulumi program imports to deploy the controller; needs `@pulumi/aws`. */
export { providerPolicy } from "../../src/aws/policy";
export {
  controllerTableName,
  ManagedInstanceController,
  type ManagedInstanceControllerArgs,
} from "../managed-instance-controller";
