/**
 * What Pulumi's state holds of our code, frozen for ever. Old state keeps the exact text and runs it
 * on refresh and destroy, so every future version must still answer to it, and a changed text would
 * show as a difference of every managed instance on the day of the upgrade.
 */

/** Text of a CommonJS module; Pulumi's provider process evaluates it in the program's folder. */
export const PROVIDER_STUB =
  'exports.handler=()=>require("pulumi-managed-instance/provider").provider;';

/** The package part must be `pulumi-nodejs`: it selects the plugin that runs dynamic providers. */
export const RESOURCE_TYPE = "pulumi-nodejs:dynamic/managed-instance:ManagedInstance";

/** The type of the component around it. Part of every URN, so as frozen as the text above. */
export const COMPONENT_TYPE = "pulumi-managed-instance:index:ManagedInstance";
