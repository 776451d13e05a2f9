/**
 * What people want to be told of without asking: an instance was taken and is back, something needs
 * them, something has ended. Told at most once for each occasion as far as the history reaches, and
 * never a reason for work to fail.
 */
import { connections } from "../aws/connections";

export interface Notice {
  kind: "interrupted" | "recovered" | "failed" | "stuck" | "deallocated" | "expired";
  /** Absent for `expired`: what expires has outlived its managed instance. */
  id?: string;
  /** As people know it: organization/project/stack/name. */
  creationKey?: string;
  /** Epoch ms by AWS's clock. */
  at: number;
  /** A sentence, without anything that could be secret. */
  message: string;
  /** What the user can do. */
  remedy?: string;
  generation?: number;
  /** With `recovered`: from when it was last seen running until both status checks had passed. */
  downtimeSeconds?: number;
  /** With `expired`: what the sweep deleted. */
  resourceIds?: readonly string[];
}

/** Of what a sweep deleted. */
export const expiredNotice = (deleted: readonly string[], at: number): Notice => ({
  kind: "expired",
  at,
  message: `retention has ended for ${deleted.length} resources, which are deleted`,
  resourceIds: deleted,
});

export interface Notifier {
  /** May fail; the caller reports that and goes on. */
  notify(notice: Notice): Promise<void>;
}

/** Tells all of them; one that fails does not keep the others from being told. */
export function notifyAll(...notifiers: readonly Notifier[]): Notifier {
  return {
    async notify(notice) {
      const told = await Promise.allSettled(notifiers.map((each) => each.notify(notice)));
      const failed = told.find((each) => each.status === "rejected");
      if (failed !== undefined) throw failed.reason;
    },
  };
}

/** Writes each notice as one line of the log. */
export function createLogNotifier(write: (notice: Notice) => void): Notifier {
  return {
    async notify(notice) {
      write(notice);
    },
  };
}

export interface SnsOptions {
  topicArn: string;
  /** Default: the Region in the topic's ARN. */
  region?: string;
  endpoint?: string;
  /** Default: what AWS's own chain finds. */
  credentials?: { accessKeyId: string; secretAccessKey: string };
}

/** Sends each notice to a topic: a subject for people, JSON for programs, its kind to filter by. */
export async function createSnsNotifier(options: SnsOptions): Promise<Notifier> {
  const { SNSClient, PublishCommand } = await import("@aws-sdk/client-sns");
  const { credentials, endpoint, topicArn } = options;
  const region = options.region ?? topicArn.split(":")[3];
  const client = new SNSClient({
    ...{ region, endpoint, credentials },
    requestHandler: connections,
  });
  return {
    async notify(notice) {
      await client.send(new PublishCommand({ TopicArn: topicArn, ...letterOf(notice) }));
    },
  };
}

/** SNS takes at most 100 characters of ASCII as a subject. */
export function letterOf(notice: Notice) {
  const name = notice.creationKey?.split("::").at(-1);
  const who = [name, notice.id].filter((each) => each !== undefined).join(" ");
  const subject = `${who === "" ? "managed instances" : who}: ${notice.kind}`;
  return {
    Subject: subject.replaceAll(/[^ -~]/g, "?").slice(0, 100),
    Message: JSON.stringify(notice),
    MessageAttributes: { kind: { DataType: "String", StringValue: notice.kind } },
  };
}
