/** The shells that have a script. */
export const SHELLS = ["bash", "zsh", "fish"] as const;

type Shell = (typeof SHELLS)[number];

/** Whether there is a script for a shell of this name. */
export function isShell(name: string): name is Shell {
  return SHELLS.some((shell) => shell === name);
}

/**
 * The script that a shell evaluates. It asks `chanctl __complete <words…>`, whose first line is `words` or `files` and
 * whose others are `<word>\t<what it is>`; so it need not be made anew when chanctl changes.
 */
export function completionScript(shell: Shell): string {
  return SCRIPTS[shell];
}

/** The project's own chanctl, as `npx` finds it but without its start-up time; POSIX shells. */
const RUN = `_chanctl_run() {
  local dir="$PWD"
  while [ -n "$dir" ]; do
    if [ -x "$dir/node_modules/.bin/chanctl" ]; then
      "$dir/node_modules/.bin/chanctl" "$@" 2>/dev/null
      return
    fi
    dir="\${dir%/*}"
  done
  command chanctl "$@" 2>/dev/null
}
`;

// bash 3.2 of macOS has neither `mapfile` nor `compopt`.
const BASH = `${RUN}
_chanctl() {
  local line kind=""
  COMPREPLY=()
  while IFS= read -r line; do
    if [ -z "$kind" ]; then kind="$line"; else COMPREPLY+=("\${line%%$'\\t'*}"); fi
  done < <(_chanctl_run __complete "\${COMP_WORDS[@]:1:COMP_CWORD}")
  if [ "$kind" = files ]; then compopt -o default 2>/dev/null; fi
}
complete -F _chanctl chanctl
`;

const ZSH = `#compdef chanctl
${RUN}
_chanctl() {
  local -a lines described
  local line
  lines=("\${(@f)$(_chanctl_run __complete "\${(@)words[2,CURRENT]}")}")
  if [[ $lines[1] == files ]]; then
    _files
    return
  fi
  for line in "\${(@)lines[2,-1]}"; do
    described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  _describe -V chanctl described
}

if [[ $funcstack[1] == _chanctl ]]; then
  _chanctl "$@"
else
  compdef _chanctl chanctl
fi
`;

const FISH = `function __chanctl_run
    set -l dir $PWD
    while test -n "$dir"
        if test -x "$dir/node_modules/.bin/chanctl"
            $dir/node_modules/.bin/chanctl $argv 2>/dev/null
            return
        end
        set dir (string replace -r '/[^/]*$' '' -- $dir)
    end
    command chanctl $argv 2>/dev/null
end

function __chanctl_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (__chanctl_run __complete $words[2..-1] "$current")
    if test "$lines[1]" = files
        __fish_complete_path "$current"
        return
    end
    printf '%s\\n' $lines[2..-1]
end

complete -c chanctl -f -a '(__chanctl_complete)'
`;

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
