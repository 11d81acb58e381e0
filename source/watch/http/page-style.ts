/** How the page looks: light and dark, from 360 pixels on. */
export const pageStyle = `
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --ink: #1a1f26; --dim: #565f6b; --line: #d5dae1;
  --accent: #0b57b7; --on-accent: #ffffff; --good: #14682f; --warn: #805100; --bad: #a81c1c;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --card: #1d2126; --ink: #e8ebef; --dim: #a7b0bc; --line: #3a414b;
    --accent: #7db4ff; --on-accent: #0b1a2e; --good: #7bd694; --warn: #f0b95a; --bad: #ff9a92;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif;
  overflow-wrap: anywhere;
}
main { max-width: 64rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.5rem; margin: 0.5rem 0 1rem; }
h2 { font-size: 1.1rem; margin: 1.5rem 0 0.5rem; }
p { margin: 0.5rem 0; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: 1rem; }
.fields { display: flex; flex-wrap: wrap; gap: 1rem; align-items: end; }
.field { flex: 1 1 14rem; min-width: 0; }
label { display: block; font-weight: 600; margin-bottom: 0.25rem; }
input {
  width: 100%; min-height: 44px; padding: 0.5rem 0.75rem; font: inherit; color: inherit;
  background: var(--ground); border: 1px solid var(--dim); border-radius: 6px;
}
button {
  min-height: 44px; padding: 0.5rem 1.25rem; font: inherit; font-weight: 600; border-radius: 6px;
  border: 1px solid var(--accent); color: var(--accent); background: var(--card); cursor: pointer;
}
button.main { color: var(--on-accent); background: var(--accent); }
button[aria-disabled='true'] { opacity: 0.55; cursor: default; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.75rem; }
.message { min-height: 1.5em; overflow-wrap: anywhere; white-space: pre-line; }
.message.bad, .bad { color: var(--bad); }
.warn { color: var(--warn); }
.good { color: var(--good); }
.dim { color: var(--dim); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: 0.75rem; margin: 0; }
.tile { margin: 0; }
.tile dt { color: var(--dim); font-size: 0.9rem; }
.tile dd { margin: 0; font-size: 1.6rem; font-weight: 700; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; }
caption { text-align: left; color: var(--dim); padding-bottom: 0.25rem; }
th, td {
  text-align: left; vertical-align: top; padding: 0.4rem 0.75rem 0.4rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; unicode-bidi: isolate;
}
th { color: var(--dim); font-weight: 600; }
td.number, th.number { text-align: right; padding-right: 1.5rem; font-variant-numeric: tabular-nums; }
ul { margin: 0.25rem 0; padding-left: 1.25rem; }
li { overflow-wrap: anywhere; unicode-bidi: isolate; }
dialog {
  width: min(46rem, calc(100vw - 1rem)); max-height: calc(100vh - 1rem); color: var(--ink); background: var(--card);
  border: 1px solid var(--dim); border-radius: 8px; padding: 1rem;
}
dialog::backdrop { background: rgb(0 0 0 / 55%); }
dialog h2 { margin-top: 0; overflow-wrap: anywhere; }
dialog .scroll { max-height: 50vh; overflow: auto; border-block: 1px solid var(--line); margin: 0.75rem 0; }
@media (min-width: 32.01rem) {
  dialog table { table-layout: fixed; }
  dialog th:first-child { width: 9rem; }
}
[hidden] { display: none !important; }
@media (max-width: 32rem) {
  .stacks thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .stacks tr { display: block; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  .stacks td { display: flex; gap: 0.75rem; justify-content: space-between; padding: 0.1rem 0; border: 0; text-align: right; }
  .stacks td.number { padding-right: 0; }
  .stacks tr:last-child { border: 0; }
  .stacks td::before { content: attr(data-name); color: var(--dim); text-align: left; flex: none; }
  .buttons button { flex: 1 1 auto; }
}
`;
