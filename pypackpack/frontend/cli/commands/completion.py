"""``pypackpack completion <shell>``: the script that makes a shell ask us."""

from __future__ import annotations

from enum import Enum
from typing import Annotated

import typer

from pypackpack.frontend.cli.choices import chosen, metavar
from pypackpack.frontend.cli.session import Answer


class Shell(str, Enum):
    """A shell that completion is there for."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"
    POWERSHELL = "powershell"


# Each asks `pypackpack __complete <words>`, whose last word is the one being typed, for lines of "word TAB meaning".
SCRIPTS = {
    Shell.BASH: r"""# Put it where bash looks:  pypackpack completion bash > ~/.local/share/bash-completion/completions/pypackpack
_pypackpack() {
    local line word part last IFS=$'\n'
    local whole=()
    COMPREPLY=()
    # bash parts words at "=": `--target=a` comes as three words and has to be put together again.
    for part in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        last=$((${#whole[@]} - 1)) # bash 3.2 of macOS has no index -1
        if [[ $last -ge 0 && ($part == "=" || ${whole[last]} == --*=) ]]; then
            whole[last]+=$part
        else
            whole+=("$part")
        fi
    done
    for line in $("${COMP_WORDS[0]}" __complete "${whole[@]}" 2>/dev/null); do
        word=${line%%$'\t'*}
        [[ $word == --*=* && ${COMP_WORDS[COMP_CWORD]} != --* ]] && word=${word#*=}
        COMPREPLY+=("$word")
    done
}
complete -o default -F _pypackpack pypackpack ppp
""",
    Shell.ZSH: r"""#compdef pypackpack ppp
# Put it into a folder of $fpath:  pypackpack completion zsh > "${fpath[1]}/_pypackpack"
_pypackpack() {
    local -a found
    local line
    for line in ${(f)"$(${words[1]} __complete "${(@)words[2,CURRENT]}" 2>/dev/null)"}; do
        found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    if (( ${#found} )); then
        _describe -V 'pypackpack' found
    else
        _files
    fi
}
if [[ $funcstack[1] == _pypackpack ]]; then
    _pypackpack "$@"
else
    compdef _pypackpack pypackpack ppp
fi
""",
    Shell.FISH: r"""# Put it where fish looks:  pypackpack completion fish > ~/.config/fish/completions/pypackpack.fish
function __pypackpack_complete
    set -l words (commandline -opc) (commandline -ct)
    set -l found ($words[1] __complete $words[2..-1] 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
for name in pypackpack ppp
    complete -c $name -f -a '(__pypackpack_complete)'
end
""",
    Shell.POWERSHELL: r"""# Put it into your profile:  pypackpack completion powershell >> $PROFILE
Register-ArgumentCompleter -Native -CommandName pypackpack, ppp -ScriptBlock {
    param($word, $tree, $cursor)
    $words = @($tree.CommandElements | Where-Object { $_.Extent.EndOffset -le $cursor } | ForEach-Object { $_.ToString() })
    $program = $words[0]
    $rest = @($words | Select-Object -Skip 1)
    if ($word -eq '') { $rest += '""' }
    & $program __complete @rest 2>$null | ForEach-Object {
        $value, $meaning = $_ -split "`t", 2
        if (-not $meaning) { $meaning = $value }
        [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $meaning)
    }
}
""",
}


def completion(shell: Annotated[str, typer.Argument(metavar=metavar(Shell), help="Your shell.", show_default=False)]) -> Answer:
    """Print the completion script of a shell."""
    script = SCRIPTS[chosen(Shell, shell, "completion")]
    return Answer({"shell": shell, "script": script}, lambda *_: script.rstrip("\n").split("\n"), asked=True)
