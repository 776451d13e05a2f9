/** The public surface of the package: what a Pulumi program imports. */
export {
  type ControllerArgs,
  type Gap,
  ManagedInstance,
  type ManagedInstanceArgs,
  type MetadataOptionsArgs,
  type RetentionHoursArgs,
  type RootVolumeArgs,
  type SnapshotsArgs,
  type TimeoutsArgs,
} from "./managed-instance";
