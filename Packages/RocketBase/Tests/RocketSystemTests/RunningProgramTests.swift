import Glibc
import RocketBaseTestKit
import RocketSystem
import Testing

struct RunningProgramTests {
    @Test("A program reads what is written to it, until it is killed")
    func input() throws {
        let path = "/tmp/rocket-program-\(getpid())"
        defer { unlink(path) }
        let program = try RunningProgram(["cat", "-"], output: path)
        try program.write("one\ntwo\n")
        while try FileContents.read(path, limit: 100).count < 8 { sched_yield() }
        #expect(program.isRunning)
        program.send(SIGKILL)
        #expect(program.wait() == 128 + SIGKILL)
        #expect(
            String(decoding: try FileContents.read(path, limit: 100), as: UTF8.self) == "one\ntwo\n"
        )
    }

    @Test("A program that has ended does not run, though nobody has read its status")
    func end() throws {
        let program = try RunningProgram(["sh", "-c", "exit 3"])
        while program.isRunning { sched_yield() }
        #expect(program.wait() == 3)
    }

    @Test("A program that reads to the end of its input ends with it")
    func finish() throws {
        let program = try RunningProgram(["sh", "-c", "cat >/dev/null; exit 4"])
        try program.write("text")
        #expect(program.finish() == 4)
    }

    @Test("A program that is missing is an error")
    func missing() {
        #expect(throws: SystemError.self) { try RunningProgram(["rocket-no-such-program"]) }
    }
}
