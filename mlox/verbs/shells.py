"""What lets a shell complete the words of ``mlox``: a few lines that ask ``mlox help -- WORDS`` what may come next."""

BASH = """\
# mlox, completed in bash. Put this line into ~/.bashrc:  eval "$(mlox help --completion bash)"
COMP_WORDBREAKS=${COMP_WORDBREAKS//[=@]/}
_mlox() {
    local IFS=$'\\n'
    COMPREPLY=($(mlox help -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then compopt -o nospace; fi
}
complete -o default -o nosort -F _mlox mlox
"""

ZSH = """\
# mlox, completed in zsh. Put this line into ~/.zshrc, below compinit:  eval "$(mlox help --completion zsh)"
_mlox() {
    local -a found
    found=("${(@f)$(mlox help -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n $found ]]; then compadd -Q -V mlox -- $found; else _files; fi
}
compdef _mlox mlox
"""

FISH = """\
# mlox, completed in fish. Put this into ~/.config/fish/config.fish:  mlox help --completion fish | source
function __mlox_words
    set -l typed (commandline -opc)
    mlox help -- $typed[2..] (commandline -ct) 2>/dev/null
end
complete -c mlox -f -k -a '(__mlox_words)'
complete -c mlox -s C -r -F
"""

SCRIPTS = {"bash": BASH, "zsh": ZSH, "fish": FISH}
