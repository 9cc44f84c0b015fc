"""Writes the posters of files/cloud-samples-data: drawings of ours, with titles
of films whose posters are in the bucket of that name.

    python3 -m venv build/venv
    build/venv/bin/pip install Pillow==13.0.0
    build/venv/bin/python internal/tutorial/make_posters.py
"""

import os

from PIL import Image, ImageDraw, ImageFont

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "files/cloud-samples-data/vertex-ai/dataset-management/datasets/classic-movie-posters")
FILMS = [
    ("barque_sortant_du_port.jpg", "Barque sortant du port", 1895, (38, 84, 124), (240, 220, 180)),
    ("little_annie_rooney.jpg", "Little Annie Rooney", 1912, (170, 60, 50), (250, 240, 220)),
    ("the_great_train_robbery.jpg", "The Great Train Robbery", 1903, (60, 60, 60), (230, 180, 70)),
]

for name, title, year, ground, ink in FILMS:
    image = Image.new("RGB", (240, 360), ground)
    draw = ImageDraw.Draw(image)
    draw.rectangle((10, 10, 229, 349), outline=ink, width=3)
    draw.ellipse((70, 90, 170, 190), fill=ink)
    font = ImageFont.load_default(20)
    words, y = title.split(), 220
    for i in range(0, len(words), 2):
        draw.text((120, y), " ".join(words[i:i + 2]), fill=ink, font=font, anchor="mm")
        y += 28
    draw.text((120, 325), str(year), fill=ink, font=font, anchor="mm")
    image.save(os.path.join(FOLDER, name), quality=80)
