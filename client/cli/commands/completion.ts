import { defineCommand } from '../cli-command.js';
import { EXIT_CODES } from '../exit-codes.js';

/** yargs gives the words; it looks at SHELL to tell in which form. */
const SCRIPTS = {
  bash: `_nucleus_complete() {
  local words
  mapfile -t words < <(SHELL=bash nucleus --get-yargs-completions "\${COMP_WORDS[@]}" 2>/dev/null)
  mapfile -t COMPREPLY < <(compgen -W "\${words[*]}" -- "\${COMP_WORDS[COMP_CWORD]}")
}
complete -o default -F _nucleus_complete nucleus`,
  zsh: `#compdef nucleus
_nucleus_complete() {
  local -a words_of_nucleus
  words_of_nucleus=("\${(@f)$(SHELL=zsh nucleus --get-yargs-completions "\${words[@]}" 2>/dev/null)}")
  _describe 'nucleus' words_of_nucleus
}
compdef _nucleus_complete nucleus`,
} as const;

export const completionCommand = defineCommand({
  command: 'completion <shell>',
  describe: 'Print the script that completes commands and options in a shell',
  positionals: { shell: { choices: ['bash', 'zsh'], demandOption: true, describe: 'the shell' } },
  options: {},
  examples: [
    ['eval "$($0 completion bash)"', 'in ~/.bashrc'],
    ['eval "$($0 completion zsh)"', 'in ~/.zshrc, after compinit'],
  ],
  run: async ({ shell }, { output }) => {
    const script = SCRIPTS[shell as keyof typeof SCRIPTS];
    await output.result({ shell, script }, () => script);
    return EXIT_CODES.ok;
  },
});
