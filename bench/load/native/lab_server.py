"""The server of the networking textbook's lab, in the style of its many Python versions: a thread for each connection
and one more for each stream, the packet built octet by octet, the pace kept by a timed wait after each frame.

    lab_server.py FOLDER

Speaks the lab's dialect alone: one whole JPEG a datagram, 20 frames a second, frames with five digits of length before
them. Writes "PORT <number>" when it listens.
"""

import os
import random
import socket
import sys
import threading
import time

INTERVAL = 0.05
RTP_HEADER = 12


class VideoStream:
    """The frames of a file, one after the other."""

    def __init__(self, path):
        self.file = open(path, "rb")
        self.number = 0

    def next_frame(self):
        digits = self.file.read(5)
        if not digits:
            return None
        self.number += 1
        return self.file.read(int(digits))


def make_packet(payload, number):
    header = bytearray(RTP_HEADER)
    header[0] = 2 << 6
    header[1] = 26
    header[2] = (number >> 8) & 255
    header[3] = number & 255
    seconds = int(time.time())
    header[4] = (seconds >> 24) & 255
    header[5] = (seconds >> 16) & 255
    header[6] = (seconds >> 8) & 255
    header[7] = seconds & 255
    return header + payload


class Worker:
    """One client's connection."""

    def __init__(self, connection, address):
        self.connection = connection
        self.host = address[0]
        self.stopped = threading.Event()
        self.stream = None

    def run(self):
        while True:
            text = self.connection.recv(256).decode()
            if not text:
                self.stopped.set()
                return
            self.answer(text.split("\n"))

    def answer(self, lines):
        words = lines[0].split(" ")
        number = lines[1].split(" ")[1]
        if words[0] == "SETUP":
            self.stream = VideoStream(words[1])
            self.session = random.randint(100000, 999999)
            self.port = int(lines[2].split(" ")[3])
        elif words[0] == "PLAY":
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.stopped.clear()
            threading.Thread(target=self.send, daemon=True).start()
        else:
            self.stopped.set()
        reply = f"RTSP/1.0 200 OK\nCSeq: {number}\nSession: {self.session}"
        self.connection.send(reply.encode())

    def send(self):
        while not self.stopped.wait(INTERVAL):
            frame = self.stream.next_frame()
            if not frame:
                return
            self.socket.sendto(make_packet(frame, self.stream.number), (self.host, self.port))


def main():
    os.chdir(sys.argv[1])
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(1024)
    print("PORT", listener.getsockname()[1], flush=True)
    while True:
        connection, address = listener.accept()
        threading.Thread(target=Worker(connection, address).run, daemon=True).start()


main()
