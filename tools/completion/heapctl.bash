# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of heapctl for bash. What can come next is known to heapctl itself: `heapctl complete`.

_heapctl() {
    local line=${COMP_LINE:0:COMP_POINT} words=() last prefix='' mark=$'\001' candidate
    read -ra words <<<"$line"
    [[ $line != *[[:space:]] ]] || words+=('')
    last=${words[-1]}
    words=("${words[@]//[\'\"\\]/}")
    mapfile -t COMPREPLY < <(command "${words[0]}" complete -- "${words[@]}" 2>/dev/null)

    case ${COMPREPLY[0]-} in
    :files) COMPREPLY=(); compopt -o default; return ;;
    :directories) COMPREPLY=(); compopt -o dirnames; return ;;
    esac
    # bash takes ':', '=' and '@' for the ends of words outside of quotes, and replaces what follows only.
    if [[ $last != [\'\"]* ]]; then
        candidate=${words[-1]//[:=@]/$mark}
        candidate=${candidate##*"$mark"}
        prefix=${words[-1]%"$candidate"}
        COMPREPLY=("${COMPREPLY[@]#"$prefix"}")
    fi
    # "usage=" wants its value at once.
    [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
}

complete -F _heapctl heapctl
