"""`medfab completion`: what makes a shell complete the command."""

from __future__ import annotations

import click


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print what makes a shell complete medfab with the tab key.

    Commands, options, and the organisations, identities and channels of the
    network in the folder are completed.

    \b
    Examples:
      medfab completion bash > ~/.local/share/bash-completion/completions/medfab
      medfab completion zsh > ~/.zfunc/_medfab
      medfab completion fish > ~/.config/fish/completions/medfab.fish

    For zsh, the folder must be in fpath before compinit is called, in ~/.zshrc:
    fpath+=~/.zfunc; autoload -Uz compinit; compinit
    """
    from click.shell_completion import get_completion_class

    root = click.get_current_context().find_root()
    made = get_completion_class(shell)
    if made is None:
        raise click.UsageError(f"click knows no completion for {shell}.")
    click.echo(made(root.command, {}, "medfab", "_MEDFAB_COMPLETE").source())
