import { SETTINGS, type Setting } from './settings.js';

const ALL = Object.entries(SETTINGS) as [string, Setting][];

/** Text of `.env.example`. */
export function envExample(): string {
  const blocks = ALL.map(([name, setting]) => {
    const notes = [setting.description, `Read by: ${setting.readBy.join(', ')}.`];
    if (setting.secret) notes.push(`Or set ${name}_FILE to a file that holds it.`);
    const line = setting.required ? `${name}=` : `# ${name}=${setting.default ?? ''}`;
    return [...notes.map((note) => `# ${note}`), line].join('\n');
  });
  return `# Made by \`npm run generate\` from config/settings.ts.\n\n${blocks.join('\n\n')}\n`;
}

/** Text of docs/configuration.md. */
export function configurationPage(): string {
  const rows = ALL.map(([name, setting]) => {
    const value =
      setting.default === undefined ? (setting.required ? '**required**' : 'not set') : `\`${setting.default}\``;
    const shownName = setting.secret ? `\`${name}\` or \`${name}_FILE\`` : `\`${name}\``;
    return `| ${shownName} | ${value} | ${setting.readBy.join(', ')} | ${setting.description} |`;
  });
  return [
    '# Configuration',
    '',
    'Made by `npm run generate` from `config/settings.ts`. Every process reads its settings from the environment, once, at',
    'start, and lists everything that is wrong with them in one error.',
    '',
    '| setting | default | read by | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}
