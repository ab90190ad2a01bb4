"""Fifteen of MNIST's 10,000 test digits whose label people doubt.

An accuracy without them may stand beside the official one, never in its place: they are part of the test.
"""

import numpy as np

# `Digits.fingerprints` of the digits at these places of the test set; found whatever set the digits come in.
INDICES = (947, 1621, 1901, 2130, 2462, 2597, 2654, 3520, 3558, 5937, 6651, 6783, 8527, 9679, 9729)
FINGERPRINTS = np.array(
    [
        0x58608F8F29102E72,
        0x43D6A051F5371C9E,
        0x60607C204E6234C2,
        0xF2E5B3F44942D441,
        0x617B326D47654142,
        0x0D1391CAC237B973,
        0x9E21A9C508230ECA,
        0x49170654A9C343A1,
        0x173B4294214AB7AA,
        0xBBD9416E7F335017,
        0xBD64091E8F683FDF,
        0x7ECB8143E3467FB3,
        0xB1091847196F1C49,
        0x9DB08310A0E039EF,
        0x8915F7A35EC52E05,
    ],
    np.uint64,
)
