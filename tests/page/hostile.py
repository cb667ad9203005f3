"""What a model may write to a person's browser: each would call `canary` if it ran, or ask another machine for something."""

HOSTILE = (
    "<script>canary()</script>",
    "<img src=x onerror=canary()><img src=http://evil.example/a.png>",
    "[press me](javascript:canary()) [and me](JaVaScRiPt&colon;canary()) [or me](data:text/html,<script>canary()</script>)",
    "![a picture](http://evil.example/b.png) ![another](javascript:canary())",
    "<svg onload=canary()><use href=http://evil.example/c.svg#a></svg>",
    "<iframe srcdoc='<script>parent.canary()</script>'></iframe><iframe src=javascript:parent.canary()></iframe>",
    "<style>@import 'http://evil.example/d.css'; .answer { display: none } body { background: url(http://evil.example/e) }</style>",
    "<p style='position:fixed;inset:0;z-index:99;background:red'>all over the page</p>",
    "<base href=http://evil.example/><meta http-equiv=refresh content='0;url=http://evil.example/'>",
    "<form action=javascript:canary()><button autofocus onfocus=canary()>go on</button></form>",
    "<details open ontoggle=canary()><video src=http://evil.example/f.mp4 onerror=canary()></details>",
    "$\\href{javascript:canary()}{x}$ $\\style{position:fixed;inset:0}{x}$ $$\\includegraphics{http://evil.example/g.png}$$",
    "<math><mtext><a href=javascript:canary()>x</a><style><img src=x onerror=canary()></style></mtext></math>",
    "</script><script>canary()</script><!--",
    "```html\n<script>canary()</script>\n```",
    "[x]: javascript:canary()\n\n[x] <javascript:canary()> <http://evil.example>",
    "a\u202egnp.exe\u202c b\u2066c\u2069 \x00 \x1b]8;;http://evil.example\x07",
)
