import { ASSETS } from './console-assets.js';

/** The frame of the console; its scripts fill it. */
export const CONSOLE_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>Holdfast console</title>
<link rel="icon" href="${ASSETS}icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="${ASSETS}uPlot.min.css">
<link rel="stylesheet" href="${ASSETS}console.css">
<script src="${ASSETS}uPlot.iife.min.js" defer></script>
<script src="${ASSETS}console.js" type="module"></script>
</head>
<body>
<a class="skip" id="skip" href="#main">Skip to the content</a>
<header class="top">
<p class="brand">Holdfast <span>console</span></p>
<nav aria-label="Screens"><ul id="screens"></ul></nav>
<section id="session" aria-label="API key"></section>
</header>
<main id="main" tabindex="-1"></main>
<p id="announcer" class="visually-hidden" role="status"></p>
<noscript>The console needs JavaScript. The same is in the API: <a href="/docs">/docs</a>.</noscript>
</body>
</html>
`;
