/** Key pairs: names that a launch may refer to. The key material is made up, no login is simulated. */

import {
  type CreateKeyPairRequest,
  type DeleteKeyPairRequest,
  type DeleteKeyPairResult,
  type DescribeKeyPairsRequest,
  type DescribeKeyPairsResult,
  type ImportKeyPairRequest,
  type ImportKeyPairResult,
  type KeyPair,
  KeyType,
  type TagSpecification,
} from "@aws-sdk/client-ec2";
import { action, anyOf } from "./action";
import { type Listing, list } from "./describe";
import { Ec2Error } from "./errors";
import type { KeyPairRecord } from "./records";
import { missingParameter, nouns, required } from "./refusals";
import { tagList, tagsFor } from "./tag-sets";
import type { World } from "./world";

const listing: Listing<KeyPairRecord> = {
  table: (world) => world.keyPairs,
  noun: nouns.keyPair,
  filters: {
    fingerprint: (row) => row.fingerprint,
    "key-name": (row) => row.name,
    "key-pair-id": (row) => row.id,
  },
};

function byName(world: World, name: string): KeyPairRecord | undefined {
  for (const pair of world.keyPairs.all()) if (pair.name === name) return pair;
  return undefined;
}

function insertPair(
  world: World,
  wish: {
    readonly name: string;
    readonly type: string;
    readonly publicKey: string;
    readonly specifications: TagSpecification[] | undefined;
  },
): KeyPairRecord {
  const { name, type, publicKey } = wish;
  if (byName(world, name) !== undefined)
    throw new Ec2Error("InvalidKeyPair.Duplicate", `The keypair already exists`);
  return world.keyPairs.insert({
    id: world.newId("key"),
    tags: tagsFor(wish.specifications, "key-pair"),
    createdAt: world.now(),
    name,
    type,
    publicKey,
    fingerprint: (world.ids.hex(32).match(/../g) ?? []).join(":"),
  });
}

function importPair(world: World, input: ImportKeyPairRequest): ImportKeyPairResult {
  const material: unknown = required(input.PublicKeyMaterial, "PublicKeyMaterial");
  const publicKey =
    material instanceof Uint8Array ? Buffer.from(material).toString() : String(material);
  const pair = insertPair(world, {
    name: required(input.KeyName, "KeyName"),
    type: publicKey.includes("ed25519") ? "ed25519" : "rsa",
    publicKey,
    specifications: input.TagSpecifications,
  });
  return {
    KeyFingerprint: pair.fingerprint,
    KeyName: pair.name,
    KeyPairId: pair.id,
    Tags: tagList(pair.tags),
  };
}

function createPair(world: World, input: CreateKeyPairRequest): KeyPair {
  const pair = insertPair(world, {
    name: required(input.KeyName, "KeyName"),
    type: input.KeyType ?? "rsa",
    publicKey: "",
    specifications: input.TagSpecifications,
  });
  return {
    KeyFingerprint: pair.fingerprint,
    KeyMaterial: `-----BEGIN SIMULATED PRIVATE KEY-----\n${world.ids.hex(64)}\n-----END SIMULATED PRIVATE KEY-----\n`,
    KeyName: pair.name,
    KeyPairId: pair.id,
    Tags: tagList(pair.tags),
  };
}

/** Deleting what is not there succeeds. */
function deletePair(world: World, input: DeleteKeyPairRequest): DeleteKeyPairResult {
  if (input.KeyName === undefined && input.KeyPairId === undefined)
    throw missingParameter("KeyName");
  const pair =
    input.KeyPairId === undefined
      ? byName(world, input.KeyName ?? "")
      : world.keyPairs.get(input.KeyPairId);
  if (pair === undefined) return { Return: true };
  world.keyPairs.remove(pair.id);
  return { Return: true, KeyPairId: pair.id };
}

function describePairs(world: World, input: DescribeKeyPairsRequest): DescribeKeyPairsResult {
  const names = input.KeyNames ?? [];
  const missing = names.find((name) => byName(world, name) === undefined);
  if (missing !== undefined)
    throw new Ec2Error("InvalidKeyPair.NotFound", `The key pair '${missing}' does not exist`);
  const isVisible = (row: KeyPairRecord) => names.length === 0 || names.includes(row.name);
  const page = list(world, { ...listing, isVisible }, { ...input, ids: input.KeyPairIds });
  return {
    KeyPairs: page.rows.map((row) => ({
      CreateTime: new Date(row.createdAt),
      KeyFingerprint: row.fingerprint,
      KeyName: row.name,
      KeyPairId: row.id,
      KeyType: row.type as KeyType,
      PublicKey: input.IncludePublicKey === true ? row.publicKey : undefined,
      Tags: tagList(row.tags),
    })),
  };
}

export const keyPairActions = {
  CreateKeyPair: action<CreateKeyPairRequest, KeyPair>(
    { KeyFormat: ["pem"], KeyName: true, KeyType: anyOf(KeyType), TagSpecifications: true },
    createPair,
  ),
  ImportKeyPair: action<ImportKeyPairRequest, ImportKeyPairResult>(
    { KeyName: true, PublicKeyMaterial: true, TagSpecifications: true },
    importPair,
  ),
  DeleteKeyPair: action<DeleteKeyPairRequest, DeleteKeyPairResult>(
    { KeyName: true, KeyPairId: true },
    deletePair,
  ),
  DescribeKeyPairs: action<DescribeKeyPairsRequest, DescribeKeyPairsResult>(
    { Filters: true, IncludePublicKey: true, KeyNames: true, KeyPairIds: true },
    describePairs,
  ),
};
