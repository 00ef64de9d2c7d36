"""`rocket call` with grpcio's server: requests, replies, streams, metadata, errors."""

import json
import os
import signal
import tempfile
import unittest

from tool import PROTOS, GRPCIOServer, call, start

WITH_PROTO = ("--proto", os.path.join(PROTOS, "points.proto"))


class GRPCIO(unittest.TestCase):
    """Tests with one server for all."""

    reflection = ("--reflection", "v1")

    @classmethod
    def setUpClass(cls):
        cls.server = GRPCIOServer(*cls.reflection)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def call(self, *arguments, **options):
        return call(self.server.address, *arguments, "--grpc", **options)


class Requests(GRPCIO):
    def test_a_reply_is_one_line_of_JSON(self):
        request = ('{"x":-5,"bigNumber":"9007199254740993","name":"Grüße","kind":"CENTRE",'
                   '"parts":{"b":{"x":2},"a":{}},"at":"2026-11-30T01:02:03Z","data":"AAH/"}')
        done = self.call("Points.Echo", request)
        self.assertEqual(done.status, 0, done)
        self.assertEqual(
            done.output,
            '{"x":-5,"big_number":"9007199254740993","name":"Grüße","kind":"CENTRE",'
            '"parts":{"a":{},"b":{"x":2}},"at":"2026-11-30T01:02:03Z","data":"AAH/"}\n')
        self.assertEqual(done.errors, "")

    def test_names_of_methods_and_requests_of_files_and_standard_input(self):
        for name in ("tool.test.Points.Echo", "tool.test.Points/Echo", "Points/Echo", "Echo"):
            self.assertEqual(self.call(name, '{"x":1}').lines, [{"x": 1}])
        self.assertEqual(self.call("Echo").lines, [{}])
        self.assertEqual(self.call("Echo", "-", stdin='{\n "x": 7\n}').lines, [{"x": 7}])
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            file.write('{\n "x": 8\n}')
            file.flush()
            self.assertEqual(self.call("Echo", "@" + file.name).lines, [{"x": 8}])
        missing = self.call("Echo", "@/does/not/exist")
        self.assertEqual(missing.status, 66, missing)
        self.assertIn("/does/not/exist can't be read", missing.errors)

    def test_forms_of_the_reply(self):
        self.assertEqual(self.call("Echo", '{"x":1}', "--pretty").output, '{\n "x": 1\n}\n')
        self.assertEqual(self.call("Echo", '{"big_number":1}', "--json-names").lines,
                         [{"bigNumber": "1"}])
        self.assertEqual(self.call("Echo", "--defaults").lines[0]["name"], "")

    def test_metadata_goes_and_comes(self):
        done = self.call("Metadata", "-H", "X-One: a b", "-H", "x-two=c", "-H", "x-raw-bin: AAE=",
                         "--verbose")
        self.assertEqual(done.lines, [{"lines": ["x-one=a b", "x-two=c", "x-raw-bin=0001"]}])
        for line in ("> tool.test.Points.Metadata (unary)", "> x-one: a b", "< initial: first",
                     "< trailer last: trailer", "1 attempt"):
            self.assertIn(line, done.errors)

    def test_services_and_definitions(self):
        self.assertIn("tool.test.Points\n", self.call("--list").output)
        methods = self.call("--list", "Points").output
        self.assertIn("tool.test.Points.Each(stream tool.test.Point) returns "
                      "(stream tool.test.Point)\n", methods)
        self.assertIn("rpc Each(stream .tool.test.Point) returns (stream .tool.test.Point);",
                      self.call("--describe", "tool.test.Points").output)
        method = self.call("--describe", "Points.Echo").output
        self.assertIn("message Point {", method)
        self.assertIn("CORNER = 1;", self.call("--describe", "tool.test.Kind").output)
        unknown = self.call("--describe", "tool.test.Nothing")
        self.assertEqual(unknown.status, 1, unknown)


class RequestsWithAlphaReflection(Requests):
    reflection = ("--reflection", "v1alpha")


class Streams(GRPCIO):
    def test_replies(self):
        self.assertEqual(self.call("Many", '{"count":3}').lines, [{}, {"x": 1}, {"x": 2}])
        self.assertEqual(self.call("Many", '{"count":0}').output, "")

    def test_requests(self):
        self.assertEqual(self.call("Sum", '{"x":1}', '{"x":2}').lines, [{"x": 3, "count": 2}])
        self.assertEqual(self.call("Sum", stdin='{"x":1}\n\n{"x":5}\n').lines,
                         [{"x": 6, "count": 2}])
        self.assertEqual(self.call("Sum", stdin="").lines, [{}])
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
            file.write('{"x":1}\n{"x":2}\n{"x":3}')
            file.flush()
            self.assertEqual(self.call("Sum", "@" + file.name, '{"x":4}').lines,
                             [{"x": 10, "count": 4}])

    def test_each_line_is_sent_when_it_is_read_and_each_reply_is_printed_at_once(self):
        process = start("call", self.server.address, "Each", "--grpc")
        for x in (1, 2, 3):
            process.stdin.write(json.dumps({"x": x}) + "\n")
            process.stdin.flush()
            self.assertEqual(json.loads(process.stdout.readline()), {"x": x})
        output, errors = process.communicate()
        self.assertEqual((process.returncode, output, errors), (0, "", ""))

    def test_an_error_in_the_middle(self):
        done = self.call("Each", '{"x":1}', '{"name":"stop"}')
        self.assertEqual(done.lines, [{"x": 1}])
        self.assertEqual(done.status, 1, done)
        self.assertEqual(done.errors, "rocket: FAILED_PRECONDITION: stopped by the request\n")

    def test_a_request_that_is_wrong_cancels_the_call(self):
        done = self.call("Each", stdin='{"x":1}\n{"y":2}\n')
        self.assertEqual(done.status, 65, done)
        self.assertIn("y: there is no such field in tool.test.Point", done.errors)

    def test_an_interrupt_cancels_the_call(self):
        process = start("call", self.server.address, "Each", "--grpc")
        process.stdin.write('{"x":1}\n')
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.communicate()
        self.assertEqual(process.returncode, -signal.SIGINT)


class Errors(GRPCIO):
    def test_an_error_of_the_server_is_one_line_and_status_1(self):
        done = self.call("Fail", '{"x":5}')
        self.assertEqual((done.status, done.output), (1, ""))
        self.assertEqual(done.errors, "rocket: NOT_FOUND: failed as \\u{1B}[31masked\n")

    def test_an_error_as_JSON(self):
        done = self.call("Fail", '{"x":5}', "--json")
        self.assertEqual(done.status, 1)
        error = json.loads(done.errors)
        self.assertEqual(
            (error["code"], error["grpc_status"], error["message"], error["method"]),
            ("NOT_FOUND", 5, "failed as \x1b[31masked", "tool.test.Points.Fail"))

    def test_misspelt_names_are_corrected(self):
        done = self.call("Points.Ehco")
        self.assertEqual(done.status, 1)
        self.assertIn("did you mean tool.test.Points.Echo?", done.errors)
        done = self.call("Pionts.Echo")
        self.assertIn("no service 'Pionts'", done.errors)
        self.assertIn("tool.test.Points", done.errors)

    def test_requests_that_are_wrong_name_the_field(self):
        done = self.call("Echo", '{"parts":{"a":{"x":"five"}}}')
        self.assertEqual(done.status, 65, done)
        self.assertIn('.x: expected int32, found "five"', done.errors)
        done = self.call("Echo", '{"nmae":"a"}')
        self.assertIn("nmae: there is no such field in tool.test.Point; did you mean name?",
                      done.errors)
        done = self.call("Echo", "{x:1}")
        self.assertIn("line 1, column 2: expected a name in double quotes", done.errors)
        done = self.call("Echo", "{}", "{}")
        self.assertEqual(done.status, 64, done)

    def test_nobody_listens(self):
        done = call("127.0.0.1:1", "Echo", "--grpc", *WITH_PROTO)
        self.assertEqual(done.status, 69, done)
        self.assertTrue(done.errors.startswith("rocket: ERROR_"), done)
        done = call("127.0.0.1:1", "Echo", "--grpc")
        self.assertEqual(done.status, 69, done)

    def test_usage(self):
        for arguments in ([], [self.server.address], ["no address", "Echo"],
                          [self.server.address, "--list", "--describe"],
                          [self.server.address, "Echo", "-H", "no header"]):
            self.assertEqual(call(*arguments).status, 64, arguments)

    def test_a_deadline(self):
        done = self.call("Each", "-", "--timeout", "200ms", *WITH_PROTO)
        self.assertIn(done.status, (0, 69))
        process = start("call", self.server.address, "Each", "--grpc", "--timeout", "300ms",
                        *WITH_PROTO)
        errors = process.stderr.read()
        self.assertEqual(process.wait(), 69)
        self.assertIn("ERROR_RPC_CALL_TIMEOUT", errors)
        for pipe in (process.stdin, process.stdout, process.stderr):
            pipe.close()


class WithoutReflection(GRPCIO):
    reflection = ()

    def test_the_error_says_what_to_do(self):
        done = self.call("Points.Echo")
        self.assertEqual(done.status, 76, done)
        self.assertIn("has no reflection: name its .proto file: --proto FILE", done.errors)

    def test_a_proto_file_does(self):
        self.assertEqual(self.call("Points.Echo", '{"x":1}', *WITH_PROTO).lines, [{"x": 1}])
        done = self.call("Points.Echo", "--proto", "points.proto", "--import-path", PROTOS)
        self.assertEqual(done.lines, [{}])

    def test_a_proto_file_needs_no_server(self):
        self.assertEqual(call("--list", *WITH_PROTO).output, "tool.test.Points\n")
        self.assertIn("rpc Echo", call("--describe", "tool.test.Points", *WITH_PROTO).output)

    def test_errors_in_proto_files_have_their_places(self):
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "bad.proto")
            with open(file, "w") as text:
                text.write('syntax = "proto3";\nmessage M {\n  Nothing x = 1;\n}\n')
            done = call("--list", "--proto", file)
        self.assertEqual(done.status, 65, done)
        self.assertIn('bad.proto:3:3: "Nothing" is not defined.', done.errors)
        self.assertEqual(call("--list", "--proto", "/no/such.proto").status, 66)


if __name__ == "__main__":
    unittest.main()
