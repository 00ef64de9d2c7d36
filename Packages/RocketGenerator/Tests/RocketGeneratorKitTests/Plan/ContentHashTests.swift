import RocketGeneratorPlugin
import Testing

@testable import RocketGeneratorKit

@Suite("The seal of a generated file")
struct ContentHashTests {
    @Test("opens as long as nothing was changed")
    func opens() {
        let text = "one\ntwo\n"
        #expect(ContentHash.opened(ContentHash.sealed(text)) == text)
        #expect(ContentHash.opened(ContentHash.sealed("")) == "")
    }

    @Test("is broken by any change")
    func breaks() {
        let sealed = ContentHash.sealed("one\ntwo\n")
        #expect(ContentHash.opened(sealed + " ") == nil)
        #expect(ContentHash.opened(sealed.replacing("one", with: "One")) == nil)
        #expect(ContentHash.opened("one\ntwo\n") == nil)
        #expect(ContentHash.opened("") == nil)
    }

    @Test("is FNV-1a")
    func hash() {
        #expect(ContentHash.hash("") == "cbf29ce484222325")
        #expect(ContentHash.hash("a") == "af63dc4c8601ec8c")
    }
}

@Suite("The renewed part of a file of yours")
struct GeneratedBlockTests {
    private func file(_ body: String, before: String = "a\n", after: String = "z\n") -> String {
        before + GeneratedBlock.opening(sealing: body) + "\n" + body + GeneratedBlock.closing + "\n"
            + after
    }

    @Test("is replaced, and nothing else")
    func renews() {
        let yours = file("x\n", before: "// mine\n", after: "// mine, too")
        #expect(
            GeneratedBlock.renewed(yours, from: file("y\n"))
                == file("y\n", before: "// mine\n", after: "// mine, too"))
    }

    @Test("tells whether somebody wrote in it")
    func tells() {
        #expect(GeneratedBlock.state(of: file("x\n")) == .intact)
        #expect(GeneratedBlock.state(of: file("x\n").replacing("\nx\n", with: "\nX\n")) == .edited)
        #expect(GeneratedBlock.state(of: "a\nz\n") == .missing)
        #expect(GeneratedBlock.renewed("a\n", from: file("y\n")) == nil)
    }
}

@Suite("What the generator notes for its next run")
struct RecordTests {
    @Test("methods are read back as they were written")
    func methods() throws {
        let record = MethodRecord(try Sample.project(Sample.order).methods)
        #expect(MethodRecord(reading: "x\n" + record.lines.text + "y\n") == record)
        #expect(record.entries.count == 1)
        #expect(MethodRecord(reading: "// rpc a(b) returns (c)\n").entries.isEmpty)
    }

    @Test("so is where messages came from")
    func protos() {
        let record = ProtoRecord(path: "a b/c.proto", hash: ContentHash.hash("x"))
        #expect(ProtoRecord(reading: "// seal\n\(record.line)\ncode\n") == record)
        #expect(ProtoRecord(reading: "code\n") == nil)
    }
}
