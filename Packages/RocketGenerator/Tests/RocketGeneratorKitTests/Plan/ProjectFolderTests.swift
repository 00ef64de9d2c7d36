import Foundation
import Testing

@testable import RocketGeneratorKit

@Suite("A project's folder")
struct ProjectFolderTests {
    private func failure(of path: String, in output: String) throws -> String? {
        let folder = ProjectFolder(output: output, name: try ProjectName("order"))
        let file = ProjectFile(path: path, text: "new\n", ownership: .user)
        let plan = ProjectPlan(files: [file], state: FolderState(files: [:]))
        return #expect(throws: GeneratorFailure.self) { try folder.perform(plan) }?.description
    }

    @Test("A file that can't be written is reported with the system's reason")
    func reason() throws {
        let output = NSTemporaryDirectory() + "rocket-folder-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: output) }
        // The temporary file, .NAME.new, has a longer name than a file may have; the file has not.
        let name = String(repeating: "a", count: 252)
        #expect(try failure(of: name, in: output)?.hasSuffix(": File name too long") == true)
        try FileManager.default.createDirectory(
            atPath: "\(output)/order/b", withIntermediateDirectories: true)
        #expect(try failure(of: "b", in: output)?.hasSuffix(": Is a directory") == true)
    }
}
