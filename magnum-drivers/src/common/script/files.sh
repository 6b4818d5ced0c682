# Files that are written only when they are not there as wanted.

changed=0

# put_directory MODE PATH
put_directory() {
    if [[ ! -d $2 || $(stat -c %a -- "$2") != "$1" ]]; then
        install -d -m "$1" -- "$2"
    fi
}

# put_file MODE PATH, with the content on standard input. Sets `changed` when it wrote.
put_file() {
    local mode=$1 path=$2 content="$scratch/content"
    cat >"$content"
    if [[ -f $path && $(stat -c %a -- "$path") == "$mode" ]] &&
        [[ $(sha256sum <"$content") == "$(sha256sum <"$path")" ]]; then
        return 0
    fi
    install -m "$mode" -- "$content" "$path.new"
    mv -f -- "$path.new" "$path"
    changed=1
}
