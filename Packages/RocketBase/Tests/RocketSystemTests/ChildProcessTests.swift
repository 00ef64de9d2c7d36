import RocketSystem
import Testing

struct ChildProcessTests {
    @Test("Returns the status and the standard error of a program, and discards its output")
    func result() throws {
        let result = try ChildProcess.run(
            "/bin/sh", ["-c", "echo out; cat; echo \"$1 $#\" >&2; exit 7", "sh", "a 'b", ""])
        #expect(result.status == 7)
        #expect(String(decoding: result.errors, as: UTF8.self) == "a 'b 2\n")
    }

    @Test("Reads more than a pipe holds")
    func large() throws {
        let result = try ChildProcess.run(
            "/bin/sh", ["-c", "head -c 300000 /dev/zero >&2; exit 0"])
        #expect(result.status == 0 && result.errors.count == 300_000)
    }

    @Test("The status after a signal is 128 and its number")
    func signal() throws {
        #expect(try ChildProcess.run("/bin/sh", ["-c", "kill -9 $$"]).status == 137)
    }

    @Test("A program that is missing is an error")
    func missing() {
        let error = #expect(throws: SystemError.self) {
            try ChildProcess.run("/no/such/program", [])
        }
        #expect(error?.errno.isMissing == true)
    }
}
