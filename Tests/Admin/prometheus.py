"""A Prometheus that scrapes one target, in a folder of its own, on a port that the kernel chooses."""

import json
import re
import subprocess
import threading
import urllib.error
import urllib.parse
import urllib.request


class Prometheus:
    def __init__(self, folder, target):
        # Each second, the shortest interval that is of use.
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 1s, scrape_timeout: 1s}\n"
            "scrape_configs:\n"
            f"  - {{job_name: order_server, static_configs: [{{targets: ['{target}']}}]}}\n")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml",
             "--enable-feature=exemplar-storage", f"--storage.tsdb.path={folder}/data", "--web.listen-address=127.0.0.1:0"],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, cwd=folder)
        self.address = None
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r'msg="?Listening on"? address="?(127\.0\.0\.1:\d+)', line):
                self.address = found[1]
                break
        assert self.address, "".join(self.log)
        self.reader = threading.Thread(target=lambda: self.log.extend(self.process.stderr))
        self.reader.start()

    def get(self, path, timeout=60, **parameters):
        """The data of an answer of the API; AssertionError with its error, if it has one."""
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=timeout) as answer:
                found = json.load(answer)
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from None
        assert found["status"] == "success", found
        return found["data"]

    def is_ready(self):
        """It answers 503 until its database is open."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/-/ready", timeout=60):
                return True
        except urllib.error.HTTPError:
            return False

    def query(self, expression, **parameters):
        return self.get("query", query=expression, **parameters)["result"]

    def samples(self, series):
        """All samples of one series: pairs of seconds and value; none if there is no such series yet."""
        found = self.query(f"{series}[1h]")
        assert len(found) <= 1, found
        return [(at, float(value)) for at, value in found[0]["values"]] if found else []

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.wait(60)
        self.reader.join()
        self.process.stderr.close()
