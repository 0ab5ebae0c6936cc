# SPDX-License-Identifier: LGPL-2.1-or-later
# Completion of heapctl for fish. What can come next is known to heapctl itself: `heapctl complete`.

function __heapctl_complete
    set -l begun (commandline -ct)
    set -l found (command heapctl complete -- (commandline -opc) (string unescape -- "$begun"; or echo "$begun") 2>/dev/null)
    switch "$found[1]"
        case ':files'
            __fish_complete_path "$begun"
        case ':directories'
            __fish_complete_directories "$begun"
        case '*'
            printf '%s\n' $found
    end
end

complete -c heapctl -f -a '(__heapctl_complete)'
