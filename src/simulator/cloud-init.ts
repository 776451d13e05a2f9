/**
 * The guest's boot, as cloud-init does it: the disk remembers which instance id it last booted
 * under, and under another one user data runs again. So it runs once per instance id, also after a
 * replaced root, and not on a reboot. Of a script (`#!`) the simulator obeys only the lines
 * `echo TEXT > /path` and `echo TEXT >> /path`, with TEXT bare or in quotes.
 */
import { rootVolume, writeFile } from "./volume-states";
import type { World } from "./world";

const LOG = "/var/log/cloud-init.log";
const INSTANCE_ID = "/var/lib/cloud/data/instance-id";

export function runUserData(world: World, instanceId: string): void {
  const write = (path: string, content: string) => {
    const volume = rootOf(world, instanceId);
    if (volume !== undefined) writeFile(world, volume, { path, content });
  };
  const append = (path: string, text: string) =>
    write(path, (rootOf(world, instanceId)?.disk.files.get(path) ?? "") + text);

  const disk = rootOf(world, instanceId)?.disk;
  if (disk === undefined || disk.platform.name === "windows") return;
  if (disk.files.get(INSTANCE_ID) === `${instanceId}\n`) return;
  const userData = userDataOf(world, instanceId);
  const at = new Date(world.now()).toISOString();
  append(LOG, `${at} first boot of ${instanceId}\n`);
  write(INSTANCE_ID, `${instanceId}\n`);
  if (userData === undefined) return;
  write(`/var/lib/cloud/instances/${instanceId}/user-data.txt`, userData);
  if (!userData.startsWith("#!")) return;
  for (const { path, text, isAppended } of echoLines(userData))
    if (isAppended) append(path, text);
    else write(path, text);
}

function rootOf(world: World, instanceId: string) {
  const instance = world.instances.get(instanceId);
  return instance === undefined ? undefined : rootVolume(world, instance);
}

function userDataOf(world: World, instanceId: string): string | undefined {
  const encoded = world.instances.get(instanceId)?.userData;
  return encoded === undefined ? undefined : Buffer.from(encoded, "base64").toString();
}

function echoLines(script: string) {
  return script.split("\n").flatMap((line) => {
    const match = /^\s*echo\s+(.*?)\s*(>>?)\s*(\S+)\s*$/.exec(line);
    if (match === null) return [];
    const [, text = "", arrow = "", path = ""] = match;
    return [{ path, text: `${unquoted(text)}\n`, isAppended: arrow === ">>" }];
  });
}

function unquoted(text: string): string {
  const match = /^(["'])(.*)\1$/.exec(text);
  return match?.[2] ?? text;
}
