// Types of pulumi-cli.mjs for programs in TypeScript; the script stays plain JavaScript, as it runs before any build.

export interface PulumiCli {
  /** What PulumiCommand.get takes as `root`; undefined means that it finds this CLI on PATH by itself. */
  readonly root: string | undefined;
  readonly executable: string;
  readonly version: string;
  readonly how: "path" | "installed" | "downloaded" | "built";
}

export declare function ensurePulumiCli(options?: {
  log?: (line: string) => void;
}): Promise<PulumiCli>;
