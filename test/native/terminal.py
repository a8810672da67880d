"""Runs a Node.js script on a new terminal, plays a user, and prints what happened as JSON.

usage: terminal.py NODE SCRIPT ACTION; ACTION: type | interrupt | resize | kill-node | kill-helper | kill-supervisor
The script prints "READY <node> <helper> <supervisor>;" once the command runs.
"""
import fcntl, json, os, pty, select, signal, struct, sys, termios, time

node, script, action = sys.argv[1:4]
master, slave = pty.openpty()
fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
before = termios.tcgetattr(slave)
child = os.fork()
if child == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)
    os.execv(node, [node, "--import", "tsx", "--input-type=module", "-e", script])

seen = b""
def read_until(word, seconds=20):
    global seen
    end = time.time() + seconds
    while word not in seen and time.time() < end:
        if select.select([master], [], [], 0.05)[0]:
            try:
                seen += os.read(master, 65536)
            except OSError:
                break
    return word in seen

ready = read_until(b";")
ids = [int(word) for word in seen.split(b"READY ")[1].split(b";")[0].split()] if ready else []
raw = termios.tcgetattr(slave)[3] != before[3]
if action == "type":
    os.write(master, b"hello\n")
elif action == "interrupt":
    os.write(master, b"\x03")
elif action == "resize":
    read_until(b"trap is set")
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 33, 101, 0, 0))
    os.kill(ids[0], signal.SIGWINCH)
elif action.startswith("kill-"):
    os.kill(ids[["kill-node", "kill-helper", "kill-supervisor"].index(action)], signal.SIGKILL)
read_until(b"DONE", 5)
end = time.time() + 3
while termios.tcgetattr(slave)[:4] != before[:4] and time.time() < end:
    time.sleep(0.01)
restored = termios.tcgetattr(slave)[:4] == before[:4]
try:
    os.kill(child, signal.SIGKILL)
except ProcessLookupError:
    pass
os.waitpid(child, 0)
print(json.dumps({"raw": raw, "restored": restored, "text": seen.decode("utf-8", "replace")}))
