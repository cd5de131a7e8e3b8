/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pages of HTML; see html.h. */
#include "experiments/report/html.h"

#include "core/base/utf8.h"

#include <string.h>

/* Colours by their use. Verdicts and shares are blue for what stands and orange for what falls, which the colour-blind tell
 * apart; the word is always beside the colour. */
static const char style[] =
    ":root{color-scheme:light dark;--paper:#fdfdfb;--card:#fff;--ink:#1c2127;--soft:#5a6572;--line:#dfe3e8;"
    "--stand:#a9cdf0;--fall:#f7b183;--on:#14202b;--proves:#0b5cad;--agrees:#5b6b1e;--neither:#a8420b;--bar:#5b8fc7;--bar2:#e39a5b}\n"
    "@media(prefers-color-scheme:dark){:root{--paper:#14171b;--card:#1b1f25;--ink:#e7eaee;--soft:#9aa6b3;--line:#303740;"
    "--stand:#1f578f;--fall:#8f4513;--on:#f4f7fa;--proves:#7db8f5;--agrees:#c3cf7f;--neither:#f2a06e;--bar:#4f84bd;--bar2:#b8743a}}\n"
    "*{box-sizing:border-box}html{-webkit-text-size-adjust:100%}\n"
    "body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,'Segoe UI',Roboto,"
    "'Helvetica Neue','Noto Sans',Arial,sans-serif;overflow-wrap:break-word}\n"
    "main{max-width:68rem;margin:0 auto;padding:2.5rem 1.5rem 1rem}\n"
    "h1{font-size:2rem;line-height:1.2;margin:.1em 0 .35em;letter-spacing:-.015em}\n"
    "h2{font-size:1.3rem;line-height:1.3;margin:2.6em 0 .6em;letter-spacing:-.01em}h3{font-size:1rem;margin:1.6em 0 .5em}\n"
    "p{max-width:46rem;margin:.6em 0}small,.soft{color:var(--soft)}a{color:var(--proves)}\n"
    ".kicker{font-size:.8rem;letter-spacing:.08em;text-transform:uppercase;color:var(--soft);margin:0}\n"
    ".answer{font-size:1.25rem;line-height:1.45;max-width:50rem;margin:.4em 0 1em}\n"
    "nav{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;border-block:1px solid var(--line);padding:.6rem 0;margin:1.2rem 0;"
    "font-size:.9rem}nav a{text-decoration:none}nav a:hover{text-decoration:underline}\n"
    ".card{background:var(--card);border:1px solid var(--line);border-left:.35rem solid var(--tone,var(--line));"
    "border-radius:.5rem;padding:1.1rem 1.3rem;margin:1rem 0}.card>h3{margin:.1em 0 .3em;font-size:1.1rem}\n"
    ".proves{--tone:var(--proves)}.agrees{--tone:var(--agrees)}.neither{--tone:var(--neither)}\n"
    ".badge{display:inline-block;font-weight:700;font-size:.8rem;letter-spacing:.06em;text-transform:uppercase;"
    "color:var(--tone)}\n"
    "dl{display:grid;grid-template-columns:minmax(8rem,max-content) 1fr;gap:.35rem 1.2rem;margin:.8rem 0}"
    "dt{color:var(--soft)}dd{margin:0;min-width:0;overflow-wrap:anywhere}\n"
    "code,pre,.hash{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;font-size:.85em}\n"
    ".hash{overflow-wrap:anywhere}pre{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:.4rem;"
    "padding:.8rem 1rem;line-height:1.45}\n"
    "details{border-top:1px solid var(--line);padding:.2rem 0}details:last-of-type{border-bottom:1px solid var(--line)}"
    "summary{cursor:pointer;padding:.5rem 0;font-weight:600}summary small{font-weight:400;margin-left:.6em}\n"
    ".wide{overflow-x:auto;margin:.6rem 0 1rem}\n"
    "table{border-collapse:collapse;font-size:.88rem;font-variant-numeric:tabular-nums}"
    "caption{text-align:left;color:var(--soft);padding:.2rem 0 .5rem}\n"
    "th,td{padding:.36rem .7rem;text-align:left;vertical-align:top;border-bottom:1px solid var(--line);white-space:nowrap}"
    "thead th{border-bottom:2px solid var(--line);font-weight:600}td.n,th.n{text-align:right}td.n small{display:block;color:var(--soft)}td.t{white-space:normal;"
    "min-width:9rem;overflow-wrap:anywhere}\n"
    "th button{all:unset;cursor:pointer;font:inherit}th button:focus-visible{outline:2px solid var(--proves)}"
    "th[aria-sort=ascending] button:after{content:' \\2191'}th[aria-sort=descending] button:after{content:' \\2193'}\n"
    ".heat{border-collapse:separate;border-spacing:3px}.heat th,.heat td{border:0}.heat thead th{text-align:center;"
    "white-space:normal;vertical-align:bottom;max-width:9rem}.heat tbody th{font-weight:500;position:sticky;left:0;"
    "background:var(--paper);white-space:normal;min-width:9rem}\n"
    ".heat .group th{font-size:.78rem;letter-spacing:.04em;white-space:nowrap;color:var(--soft);padding:.9rem .7rem .1rem}\n"
    ".heat thead th,.heat td{padding-left:.3rem;padding-right:.3rem}.heat td{min-width:3.9rem;text-align:center;border-radius:.3rem;color:var(--on);"
    "background:var(--fall);background:color-mix(in oklab,var(--stand) var(--s),var(--fall))}"
    ".heat td.none{background:none;color:var(--soft)}.heat small{display:block;color:inherit;opacity:.85;line-height:1.2}\n"
    ".key{display:inline-block;width:1.1em;height:1.1em;border-radius:.2em;vertical-align:-.2em;margin:0 .35em 0 .9em}"
    ".key:first-child{margin-left:0}\n"
    "figure{margin:1.2rem 0 2rem;background:#fff;border:1px solid var(--line);border-radius:.5rem;padding:.5rem}"
    "figure svg{display:block;width:100%;height:auto;max-width:70rem}"
    "@media(prefers-color-scheme:dark){figure{background:#1a1a1a}figure svg{filter:invert(.9) hue-rotate(180deg)}}\n"
    "figcaption{font-size:.85rem;color:var(--soft);padding:.3rem .5rem 0}\n"
    ".rank{display:grid;grid-template-columns:5.5rem 1fr;align-items:center;gap:.6rem;margin:.3rem 0;font-size:.85rem}"
    ".track{display:flex;height:1.5rem}.track i{display:block;background:var(--bar);box-shadow:inset -1px 0 var(--paper);"
    "min-width:1px}.track i.b{background:var(--bar2)}.axis{display:flex;justify-content:space-between;color:var(--soft)}\n"
    "ul{max-width:46rem;padding-left:1.2rem}li{margin:.25rem 0}footer{max-width:68rem;margin:2rem auto 0;"
    "padding:1rem 1.5rem 2.5rem;color:var(--soft);font-size:.85rem}\n"
    "@media(max-width:40rem){main{padding:1.4rem 1rem}h1{font-size:1.55rem}.answer{font-size:1.1rem}"
    "dl{grid-template-columns:1fr;gap:0}dd{margin:0 0 .5rem}.card{padding:.9rem 1rem}"
    ".heat tbody th{min-width:6.5rem;max-width:8.5rem;font-size:.82rem}footer{padding:1rem}figure{padding:.2rem;overflow-x:auto}"
    "figure svg{min-width:34rem}}\n"
    "@media print{:root{color-scheme:light;--paper:#fff}@page{size:A4;margin:16mm 14mm}@page wide{size:A4 landscape}details{page:wide}.screen{display:none}body{font-size:10pt}main,footer{max-width:none;"
    "padding:0}nav{display:none}.card,figure,tr,thead,.rank{break-inside:avoid}thead{display:table-header-group}h2,h3,summary{break-after:avoid}"
    "details::details-content{content-visibility:visible;display:block;height:auto}.wide{overflow:visible}"
    "table{font-size:7pt}th,td{padding:.15rem .35rem}td.t,.heat td,.heat tbody th{min-width:0}.heat tbody th,.heat .group th{font-size:inherit}thead th{white-space:normal}.heat td,.track i,.key{print-color-adjust:exact;"
    "-webkit-print-color-adjust:exact}a{color:inherit;text-decoration:none}}\n";

/* ---- texts ---- */

static void put_character(FILE *stream, unsigned code, const char *text, size_t bytes)
{
    switch (code) {
    case '&': fputs("&amp;", stream); return;
    case '<': fputs("&lt;", stream); return;
    case '>': fputs("&gt;", stream); return;
    case '"': fputs("&quot;", stream); return;
    case '\'': fputs("&#39;", stream); return;
    default: fwrite(text, 1, bytes, stream);
    }
}

void pg_html_text(FILE *stream, const char *text, pg_html_lines lines)
{
    for (size_t left = strlen(text), bytes; left; text += bytes, left -= bytes) {
        unsigned code = 0;
        bytes = pg_utf8_character(text, left, &code);
        const bool bare = bytes && (!pg_utf8_is_control(code) || (code == '\n' && lines == PG_HTML_LINES));
        if (bytes == 0) bytes = 1;
        for (size_t i = 0; !bare && i < bytes; i++) fprintf(stream, "\\x%02x", (unsigned)(unsigned char)text[i]);
        if (bare) put_character(stream, code, text, bytes);
    }
}

void pg_html_put(FILE *stream, const char *markup, int count, const char *const *texts)
{
    for (int next = 0; *markup; markup++) {
        if (*markup != '$')
            fputc(*markup, stream);
        else if (next < count && texts[next++])
            pg_html_text(stream, texts[next - 1], PG_HTML_ONE_LINE);
    }
}

/* ---- the page ---- */

void pg_html_begin(FILE *stream, const char *title)
{
    PG_HTML(stream,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none';style-src 'unsafe-inline';"
            "script-src 'unsafe-inline';img-src data:;base-uri 'none';form-action 'none'\">\n"
            "<link rel=\"icon\" href=\"data:,\">\n<title>$</title>\n<style>\n",
            title);
    fputs(style, stream);
    fputs("</style>\n</head>\n<body>\n<main>\n", stream);
}

void pg_html_end(FILE *stream, const char *foot, const char *script)
{
    PG_HTML(stream, "</main>\n<footer>$</footer>\n", foot);
    if (script) fprintf(stream, "<script>\n%s</script>\n", script);
    fputs("</body>\n</html>\n", stream);
}
