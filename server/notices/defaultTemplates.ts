/** A paragraph a line; how long the lines of the mail are is the driver's business. */
const TEXT = `{{what}}

{{when}}
{{where}}
{{by}}
{{#ended}}
{{ended}}
{{/ended}}{{#pending}}
{{pending}}
{{/pending}}{{#remind}}
{{remind}}
{{/remind}}{{#mine}}
{{mine}}
{{/mine}}
{{notMine}}
{{#support}}{{support}}
{{/support}}{{#recovery}}
{{recovery}}
{{/recovery}}
{{automatic}}
`;

/** One column, no picture, no link, nothing fetched from anywhere; readable where a mail program drops the style. */
const HTML = `<!doctype html>
<html lang="{{language}}" dir="{{direction}}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<title>{{subject}}</title>
<style>
:root { color-scheme: light dark; }
body { margin: 0; padding: 16px; background: #f3f4f6; color: #16181d; font: 16px/1.5 Arial, Helvetica, sans-serif; }
.card { max-width: 36em; margin: 0 auto; padding: 24px; background: #ffffff; border: 1px solid #d5d8de; border-radius: 8px; overflow-wrap: anywhere; }
h1 { margin: 0 0 16px; font-size: 20px; line-height: 1.3; }
p { margin: 0 0 16px; }
.act { margin: 0 0 16px; padding: 12px 16px; background: #fff4e0; border: 1px solid #d98e04; border-radius: 6px; }
.small { margin-bottom: 8px; color: #555b66; font-size: 14px; }
@media (prefers-color-scheme: dark) {
  body { background: #14161a; color: #eceef2; }
  .card { background: #1e2127; border-color: #3c414b; }
  .act { background: #3a2e14; border-color: #d9a441; }
  .small { color: #b3b8c2; }
}
</style>
</head>
<body lang="{{language}}" dir="{{direction}}">
<div class="card" lang="{{language}}" dir="{{direction}}">
<h1>{{what}}</h1>
<p>{{when}}<br>{{where}}<br>{{by}}</p>
{{#ended}}<p>{{ended}}</p>{{/ended}}
{{#pending}}<p>{{pending}}</p>{{/pending}}
{{#remind}}<p>{{remind}}</p>{{/remind}}
{{#mine}}<p>{{mine}}</p>{{/mine}}
<div class="act"><strong>{{notMine}}</strong>{{#support}}<br>{{support}}{{/support}}</div>
{{#recovery}}<p class="small">{{recovery}}</p>{{/recovery}}
<p class="small">{{automatic}}</p>
</div>
</body>
</html>
`;

export const DEFAULT_TEMPLATES = { txt: TEXT, html: HTML } as const;
