/**
 * What keeps managed instances alive between two `pulumi up`s, in AWS: it takes their snapshots,
 * answers interruptions and deletes what retention has given an end. One in an account and Region;
 * any number of stacks share it by its table's name. No instance needs anything of it to run: ledger
 * and lock are on the instances' own network interfaces, and destroying it leaves them as they are.
 */
import * as aws from "@pulumi/aws";
import * as pulumi from "@pulumi/pulumi";
import { createAlarms } from "./controller/alarms";
import { type Checked, checkArguments } from "./controller/arguments";
import { createDashboard } from "./controller/dashboard";
import { createFunctions } from "./controller/functions";
import { createQueues } from "./controller/queues";
import { controllerName, type Site } from "./controller/site";
import { createTable } from "./controller/table";
import { createTopic } from "./controller/topic";
import { createEventRules, createSchedules, ruleArnPattern } from "./controller/triggers";

/** Frozen, as part of every URN. */
const CONTROLLER_TYPE = "pulumi-managed-instance:controller:ManagedInstanceController";

export interface ManagedInstanceControllerArgs {
  /** Addresses that are told of interruptions, recoveries, alarms; each must confirm once. Default: none. */
  notificationEmails?: string[];
  /** ARNs of the roles behind the `iamInstanceProfile`s of managed instances; no other role can be passed. Default: none. */
  instanceRoleArns?: pulumi.Input<pulumi.Input<string>[]>;
  /** ARNs of the customer managed keys that encrypt root disks. Default: none, for AWS's own key. */
  kmsKeyArns?: pulumi.Input<pulumi.Input<string>[]>;
  /** How many workers may run at once, each of which looks at up to ten managed instances. 2 to 1000; default 20. */
  workerConcurrency?: number;
  /** Keep the functions' concurrency free for them. Default true; false where the account's limit (new accounts: 10) does not allow it. */
  reserveConcurrency?: boolean;
  /** Days that the functions' logs are kept, one of those that CloudWatch knows. Default 30. */
  logRetentionDays?: number;
  /** Continuous backups of the table. Default true. */
  pointInTimeRecovery?: boolean;
  /** The table cannot be deleted until this is false again. Default false: losing it loses no disk. */
  deletionProtection?: boolean;
  /** On every part that takes tags. */
  tags?: Record<string, string>;
}

/** The controller of all managed instances of one account and Region. */
export class ManagedInstanceController extends pulumi.ComponentResource {
  /** For `controller: { table: … }` of each `ManagedInstance`, and `--table` of the command line. */
  readonly tableName: pulumi.Output<string>;
  readonly tableArn: pulumi.Output<string>;
  /** Where people are told; subscribe whatever SNS can reach. */
  readonly topicArn: pulumi.Output<string>;
  /** What the router wants the worker to look at. */
  readonly queueUrl: pulumi.Output<string>;
  /** Looks that have failed three times. */
  readonly deadLetterQueueUrl: pulumi.Output<string>;
  readonly dashboardName: pulumi.Output<string>;
  /** The roles of the functions: router, worker and sweep. */
  readonly functionArns: pulumi.Output<string>[];

  constructor(
    name: string,
    args: ManagedInstanceControllerArgs = {},
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super(CONTROLLER_TYPE, name, {}, opts);
    const checked = checkArguments(name, args);
    const table = createTable({ name, parent: this, tags: checked.tags }, checked);
    const site = this.siteAfter(name, table, checked);
    const topic = createTopic(site, checked.notificationEmails);
    const queues = createQueues(site, ruleArnPattern(site));
    const functions = createFunctions(site, {
      ...checked,
      queues,
      tableName: table.name,
      tableArn: table.arn,
      topicArn: topic.arn,
    });
    createEventRules(site, queues.events.queue.arn);
    createSchedules(site, functions);
    createAlarms(site, { functions, queues }, topic.arn);
    const dashboard = createDashboard(site);
    this.tableName = table.name;
    this.tableArn = table.arn;
    this.topicArn = topic.arn;
    this.queueUrl = queues.work.queue.url;
    this.deadLetterQueueUrl = queues.work.dead.url;
    this.dashboardName = dashboard.dashboardName;
    this.functionArns = Object.values(functions).map(({ arn }) => arn);
    this.registerOutputs({
      tableName: this.tableName,
      topicArn: this.topicArn,
      dashboardName: this.dashboardName,
    });
  }

  /** The account and Region of whatever AWS provider the component was given. */
  private siteAfter(name: string, guard: pulumi.Resource, { tags }: Checked): Site {
    const parent = { parent: this };
    return {
      name,
      parent: this,
      guard,
      partition: aws.getPartitionOutput({}, parent).partition,
      region: aws.getRegionOutput({}, parent).region,
      accountId: aws.getCallerIdentityOutput({}, parent).accountId,
      tags,
    };
  }
}

/** The name of the table of every controller, for stacks that share one without a stack reference. */
export const controllerTableName = controllerName;
