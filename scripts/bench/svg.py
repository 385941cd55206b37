# SPDX-License-Identifier: GPL-2.0
"""Pictures by gnuplot, without what does not show."""

import re
import subprocess


def shrink(path):
    """Leave out of gnuplot's picture what does not show."""
    with open(path, encoding="utf-8") as stream:
        text = stream.read()
    text = re.sub(r"<defs>.*?</defs>|<title>.*?</title>|<desc>.*?</desc>|"
                  r"</?tspan[^>]*>", "", text, flags=re.S)
    text = re.sub(r"[ \t]*\n\s*", "\n", text)
    count = 1
    while count:
        text, count = re.subn(r"<g[^>]*>\s*</g>\s*", "", text)
    text = text.replace(' stroke-linecap="butt" stroke-linejoin="miter"', "")
    text = text.replace("?>", "?>\n<!-- SPDX-License-Identifier: GPL-2.0 -->",
                        1)
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(text)


def draw(script, picture, **variables):
    """Have gnuplot make a picture, with these variables set, and shrink it."""
    settings = [word for name, value in variables.items()
                for word in ("-e", f"{name}='{value}'")]
    subprocess.run(["gnuplot", *settings, script], check=True)
    shrink(picture)
