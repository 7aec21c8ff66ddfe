"""The empty page: HTML around the sections, style, the table switch.

Works offline and without JavaScript, in light and in dark.
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>In context, finetuned, augmented: what the model infers</title>
<style>
{style}
</style>
</head>
<body>
<main>
<h1>In context, finetuned, augmented: what the model infers</h1>
{body}
</main>
<script>
{script}
</script>
</body>
</html>
"""

STYLE = """:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff;
  --faint: #666; --line: #ddd; --tint: #f5f5f2; --warn: #a04600; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8e4;
  --paper: #181a1b; --faint: #a0a0a0; --line: #3a3d3f; --tint: #222527;
  --warn: #ffb066; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; }
main { max-width: 76rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 0.75rem; padding-bottom: 0.25rem;
  border-bottom: 1px solid var(--line); }
h3 { font-size: 1.05rem; margin: 1.25rem 0 0.5rem; }
li { margin: 0.3rem 0; }
dl { display: grid; grid-template-columns: 11rem 1fr; gap: 0.25rem 1rem;
  margin: 0 0 1rem; }
dt { font-weight: 600; overflow-wrap: anywhere; }
dd { margin: 0; }
figure { margin: 0 0 1rem; }
img { display: block; max-width: 100%; height: auto; margin: 0 auto;
  background: #fff; border-radius: 4px; }
figcaption { text-align: center; color: var(--faint); font-size: 0.8rem; }
.wide { overflow-x: auto; margin: 0 0 1rem; }
table { border-collapse: collapse; font-size: 0.86rem;
  font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--faint); padding: 0 0 0.4rem; }
th, td { text-align: left; padding: 0.3rem 0.8rem 0.3rem 0;
  border-bottom: 1px solid var(--line); vertical-align: top; }
td { white-space: nowrap; }
.samples td:last-child { white-space: pre-wrap; overflow-wrap: anywhere;
  min-width: 20rem; }
.missing { border-left: 3px solid var(--warn); padding: 0 0 0 1rem; }
.missing h3 { color: var(--warn); margin-top: 0; }
pre { background: var(--tint); padding: 0.8rem 1rem; overflow-x: auto;
  border-radius: 4px; font-size: 0.86rem; }"""

# Without JavaScript all tables are shown, each with its caption.
SCRIPT = """const choice = document.getElementById('normalisation');
const show = () => {
  for (const part of document.querySelectorAll('[data-normalisation]'))
    part.hidden = part.dataset.normalisation !== choice.value;
};
document.querySelector('.switch').hidden = false;
choice.addEventListener('change', show);
show();"""
