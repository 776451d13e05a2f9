/**
 * Where the parts of the controller are put, and what they are called. The names are fixed: AWS
 * refuses a second table of the same name, everything else is made after the table, and so there is
 * one controller in an account and Region and never half of a second one.
 */
import type * as pulumi from "@pulumi/pulumi";

/** The table's name and the first part of every other. */
export const controllerName = "managed-instances";

export interface Site {
  /** The Pulumi name of the component, which those of its parts begin with. */
  name: string;
  parent: pulumi.Resource;
  /** Made before everything else. */
  guard: pulumi.Resource;
  partition: pulumi.Output<string>;
  region: pulumi.Output<string>;
  accountId: pulumi.Output<string>;
  tags: Record<string, string>;
}

/** The physical name of a part in AWS. */
export const nameOf = (part: string) => `${controllerName}-${part}`;

/** The options of a part. */
export const partOf = ({ parent, guard }: Site): pulumi.CustomResourceOptions => ({
  parent,
  dependsOn: [guard],
});
