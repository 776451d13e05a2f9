/** What people call a managed instance, read from the key that it was created with. Pure. */

export interface Name {
  /** The resource's name in its program; the whole key where it does not come from Pulumi. */
  name: string;
  project?: string;
  stack?: string;
}

/** Keys are an organization and a URN: `acme/urn:pulumi:dev::shop::parent$type::db`. */
export function nameOf(creationKey: string): Name {
  const match = /urn:pulumi:([^:]+)::([^:]+)::.*::(.+)$/.exec(creationKey);
  const [, stack, project, name] = match ?? [];
  return name === undefined ? { name: creationKey } : { name, project, stack };
}

/** "shop/dev/db": as it stands in lists. */
export const fullName = (creationKey: string): string => {
  const { name, project, stack } = nameOf(creationKey);
  return [project, stack, name].filter((part) => part !== undefined).join("/");
};
