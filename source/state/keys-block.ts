/** The keys as the readme tells them: made from the same table that handles them. */
import {bindings, type Category} from './bindings.js';
import {keyLabel} from './keymap.js';

/** A Markdown table a category; a command that several bindings stand for is told once. */
export const keysBlock = (): string => {
  const categories = [...new Set(bindings.map(({category}) => category))];
  const rows = (category: Category): string[] => {
    const told = new Map<string, Set<string>>();
    for (const binding of bindings.filter(item => item.category === category))
      told.set(binding.text, new Set([...(told.get(binding.text) ?? []), ...binding.keys.map(keyLabel)]));
    return [...told].map(
      ([text, keys]) =>
        `| ${[...keys].map(key => `\`${key.replaceAll('|', '\\|')}\``).join(' ')} | ${text} |`,
    );
  };
  return categories
    .map(
      category => `**${category}**\n\n| keys | what they do |\n| --- | --- |\n${rows(category).join('\n')}`,
    )
    .join('\n\n');
};
