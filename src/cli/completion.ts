/**
 * `managed-instance completion`: what a shell needs to complete our commands. The scripts hold no
 * knowledge of their own: they ask `managed-instance __complete` for proposals.
 */
import { Failure } from "./failure";
import type { OutputFlags } from "./flags";
import type { Invocation } from "./invocation";

const bash = `_managed_instance() {
  local proposal
  COMPREPLY=()
  while IFS= read -r proposal; do
    COMPREPLY+=("$proposal")
  done < <(managed-instance __complete "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _managed_instance managed-instance`;

const zsh = `_managed_instance() {
  local -a proposals
  proposals=("\${(@f)$(managed-instance __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  compadd -a proposals
}
compdef _managed_instance managed-instance`;

const fish = `function __managed_instance_complete
  set -l words (commandline -opc)
  managed-instance __complete $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c managed-instance -f -a '(__managed_instance_complete)'`;

const scripts: Readonly<Record<string, string>> = { bash, zsh, fish };

export async function completion(
  this: Invocation,
  flags: OutputFlags,
  shell: string,
): Promise<void> {
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (script === undefined)
    throw new Failure("usage", `There is no completion for ${shell}.`, "Use bash, zsh or fish.");
  this.terminal.result(flags, { json: { shell, script }, lines: () => [script] });
}
