"""Short videos as parts of a message.

load.py            a video checked, and summarised as a caption and a contact sheet
clip.py            a file opened and decoded within limits
key_frames.py      selection of the frames that show a change
contact_sheet.py   numbered frames with their times in one image
"""
