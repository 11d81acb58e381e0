/** The page at `/`: one static document that holds no data; what it shows it asks for with the token. */
import {createHash} from 'node:crypto';
import {pageScript} from './page-script.js';
import {pageStyle} from './page-style.js';

export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>sesstui: session health</title>
<link rel="icon" href="data:,">
<style>${pageStyle}</style>
</head>
<body>
<main>
<h1>Session health</h1>
<form id="form" class="card" autocomplete="off">
<div class="fields">
<div class="field">
<label for="token">Access token</label>
<input id="token" type="password" autocomplete="off" spellcheck="false" aria-describedby="token-help">
</div>
<div class="field">
<label for="customer">Customer id to clean (empty: all)</label>
<input id="customer" type="text" autocomplete="off" autocapitalize="none" spellcheck="false">
</div>
<div class="buttons">
<button id="check" class="main" type="submit">Check</button>
<button id="clean" type="button">Clean…</button>
</div>
</div>
<p id="token-help" class="dim">The token that sesstui watch was started with. It is kept only in this field.</p>
<p id="message" class="message" role="status" aria-live="polite"></p>
</form>
<noscript><p>This page needs JavaScript; sesstui health tells the same in a terminal.</p></noscript>
<section id="report" aria-label="Report" hidden>
<h2>Now</h2>
<div class="card">
<dl id="tiles" class="tiles"></dl>
<p id="sessions"></p>
<p id="requests"></p>
<p id="at" class="dim"></p>
</div>
<h2 id="checks-title">Checks</h2>
<div class="card">
<table class="stacks" aria-labelledby="checks-title">
<thead><tr><th scope="col">Check</th><th scope="col">Status</th><th scope="col" class="number">Found</th><th scope="col">Reasons</th></tr></thead>
<tbody id="checks"></tbody>
</table>
</div>
<h2>Problems</h2>
<div class="card">
<p id="no-problems">None.</p>
<ul id="problems"></ul>
</div>
<h2>What to do</h2>
<div class="card"><ul id="recommendations"></ul></div>
</section>
</main>
<dialog id="plan" aria-labelledby="plan-title">
<h2 id="plan-title"></h2>
<p>These sessions would be cancelled. Nothing has been changed yet; each is backed up first, and the run can be taken back.</p>
<div class="scroll" tabindex="0" role="region" aria-label="What would be changed">
<table class="stacks">
<thead><tr><th scope="col">Store</th><th scope="col">Session</th><th scope="col">Now</th><th scope="col">Then</th></tr></thead>
<tbody id="plan-rows"></tbody>
</table>
</div>
<ul id="plan-notes"></ul>
<div class="buttons">
<button id="back" class="main" type="button" autofocus>Cancel</button>
<button id="go" type="button"></button>
</div>
</dialog>
<script>${pageScript}</script>
</body>
</html>
`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Only the page's own script and style run, and they reach only this server. */
export const pageSecurityPolicy = [
  "default-src 'none'",
  `script-src ${hashOf(pageScript)}`,
  `style-src ${hashOf(pageStyle)}`,
  "connect-src 'self'",
  'img-src data:',
  "frame-ancestors 'none'",
  "base-uri 'none'",
  "form-action 'none'",
].join('; ');
