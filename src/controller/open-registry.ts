/** The controller's registry by the place that people give it. Each adapter is loaded only where it is used. */
import type { ControllerRegistry } from "./registry";

export type RegistryPlace =
  | { table: string; directory?: undefined }
  | { directory: string; table?: undefined };

export interface RegistryAccess {
  region: string;
  profile?: string;
}

/** Reads nothing yet: what cannot be used is told by the first call. */
export function openRegistry(
  place: RegistryPlace,
  { region, profile }: RegistryAccess,
): ControllerRegistry {
  if (place.table !== undefined) {
    const dynamo = require("./dynamo-registry") as typeof import("./dynamo-registry");
    return dynamo.createDynamoRegistry({ table: place.table, region, profile });
  }
  const files = require("./file-registry") as typeof import("./file-registry");
  return files.createFileControllerRegistry(place.directory);
}

export const placeName = (place: RegistryPlace) =>
  place.table === undefined ? `directory ${place.directory}` : `table ${place.table}`;
