import RocketSystem
import Testing

@testable import RocketToolKit

@Suite struct ConfigCheckTests {
    private func check(_ text: String) throws -> ConfigCheck {
        let path = "/tmp/rocket-check-\(UInt64.random(in: 0 ... .max)).xml"
        try FileContents.write(Array(text.utf8), to: path)
        defer { try? FileSystem.remove(path) }
        return ConfigCheck(file: path)
    }

    @Test("A valid file has a report and no problems")
    func valid() throws {
        let check = try check("<root><server><port>1</port></server></root>")
        #expect(check.lines.isEmpty && check.errors == 0 && check.warnings == 0)
        #expect(check.report?.contains("server/port") == true)
    }

    @Test("All problems are listed with their lines")
    func problems() throws {
        let check = try check(
            "<root><server>\n<port>65536</port>\n<io_threads>x</io_threads>\n</server></root>")
        #expect(check.errors == 2)
        #expect(check.report == nil)
        #expect(check.lines[0].contains(".xml:2:") && check.lines[1].contains(".xml:3:"))
    }

    @Test("Sections of programs are noted, and are no warnings")
    func sections() throws {
        let check = try check("<root>\n<order_store><path>x</path></order_store></root>")
        #expect(check.errors == 0 && check.warnings == 0)
        #expect(check.lines.count == 1)
        #expect(check.lines[0].contains(".xml:2:1: note: root/order_store: a section of a program"))
    }

    @Test("Warnings do not make a file unusable")
    func warnings() throws {
        let check = try check("<root><server><prot>1</prot></server></root>")
        #expect(check.errors == 0 && check.warnings == 1)
        #expect(check.report != nil)
    }

    @Test("Files that are missing are errors: the file itself, and what it names")
    func missing() throws {
        #expect(ConfigCheck(file: "/no/such/file").errors == 1)
        let check = try check(
            "<root><server><tls><certificate>/no/c</certificate><key>/no/k</key></tls></server>"
                + "</root>")
        #expect(check.errors == 1)
    }
}
