# SPDX-License-Identifier: MIT
# Python smtplib; one thread per connection.
# args: HOST PORT CONNS MSGS FILE RCPTS RECONNECT TLS CAFILE
import smtplib, ssl, sys, threading
host, port, conns, msgs, path, rcpts, rec, tls, ca = sys.argv[1:10]
port, conns, msgs, rcpts, rec, tls = map(int, (port, conns, msgs, rcpts, rec, tls))
msg = open(path, "rb").read()
to = ["rcpt%d@example.test" % i for i in range(rcpts)]
ctx = ssl.create_default_context(cafile=ca) if tls else None
lock = threading.Lock()
left = msgs
bad = []


def take():
    global left
    with lock:
        left -= 1
        return left >= 0


def work():
    s = None
    try:
        while take():
            if s is None:
                s = smtplib.SMTP(host, port, local_hostname="client.example.test")
                if tls:
                    s.starttls(context=ctx)
            s.sendmail("sender@example.test", to, msg)
            if rec:
                s.quit()
                s = None
        if s:
            s.quit()
    except Exception as e:
        bad.append(e)
        print(repr(e), file=sys.stderr)


if conns == 1:
    work()
else:
    t = [threading.Thread(target=work) for _ in range(conns)]
    [x.start() for x in t]
    [x.join() for x in t]
sys.exit(1 if bad else 0)
