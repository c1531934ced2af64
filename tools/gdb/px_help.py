"""px-help: the px- commands, each with one line."""
from px_lib import COMMANDS, command


@command("px-help")
def help_command(words):
    """This list. `help px-NAME` says more of one."""
    del words
    for name, usage, line in sorted(COMMANDS):
        print(f"{name + ' ' + usage:28} {line}")
