import Testing

@testable import RocketGeneratorKit

@Suite("Folder of another project")
struct ProjectGeneratorTests {
    /// Returns why services are refused in a folder with these files; nil if they are not.
    private func refusal(
        _ files: [String: String], services: Set<String>, isOwn: Bool = false
    ) -> String? {
        do {
            try ProjectGenerator.refuseOther(
                at: "/x/order", FolderState(files: files), services: services, isOwn: isOwn)
            return nil
        } catch { return error.description }
    }

    private func project() throws -> [String: String] {
        Sample.written(Sample.files(try Sample.project(Sample.order)))
    }

    @Test("Is refused for services of which it has none")
    func otherServices() throws {
        let text = refusal(try project(), services: ["two.Order", "Query"])
        #expect(text?.hasPrefix("/x/order is the project of Order: ") == true)
        #expect(text?.contains("--name") == true)
    }

    @Test("Is refused although its line ends became CR LF")
    func otherServicesWithCRLF() throws {
        let files = Sample.withCRLF(try project())
        #expect(refusal(files, services: ["Query"])?.contains("is the project of Order") == true)
        #expect(refusal(files, services: ["Order"]) == nil)
    }

    @Test("Is accepted with a service in common, or for a file of the project itself")
    func ownServices() throws {
        #expect(refusal(try project(), services: ["Query", "Order"]) == nil)
        #expect(refusal(try project(), services: ["Buy"], isOwn: true) == nil)
        #expect(refusal([:], services: ["Order"]) == nil)
    }

    @Test("Is refused if its package was not generated")
    func otherPackage() {
        let text = refusal(["Package.swift": "// theirs\n"], services: ["Order"])
        #expect(text?.contains("holds another package") == true)
    }
}
