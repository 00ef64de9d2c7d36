import RocketGeneratorPlugin

/// Assigns unique names to the types of each method and to the programs. A method keeps its earlier
/// names, because the files that contain the user's logic are named after them.
struct FreeNames {
    private var taken: Set<String>
    private var programs: Set<String>
    /// Earlier names that are still free, by the method's full name.
    private let kept: [String: MethodRecord.Entry]

    /// - Parameters:
    ///   - program: the name of the server program.
    ///   - old: earlier records of methods that still exist.
    init(
        scope: ModuleScope, reserved: Set<String>, program: String,
        old: [MethodRecord.Entry] = []
    ) {
        let others = reserved.union(scope.owners.keys)
        let free = old.filter { !others.contains($0.interface) && !Self.isMain($0.interface) }
        taken = others.union(free.map(\.interface))
        kept = Dictionary(free.map { ($0.fullName, $0) }, uniquingKeysWith: { first, _ in first })
        // The module of a program has underscores where its name has hyphens.
        programs = Set(free.map(\.testClient) + [program.replacing("-", with: "_")])
    }

    /// Returns `OrderServiceImpl` for the protocol `OrderService`.
    mutating func implementation(of service: ServiceModel) -> String {
        take(["\(service.protocolName)Impl"], from: &taken)
    }

    /// Returns `MakeOrder`, or a name with the service's name in it if that is taken.
    mutating func interface(of method: MethodModel, in service: ServiceModel) -> String {
        if let old = kept["\(service.fullName).\(method.name)"] { return old.interface }
        let plain = SwiftName.upperCamel(method.name)
        let stem = service.clientName.dropLast("Client".count)
        let isName = plain.first?.isLetter == true && !Self.isMain(plain)
        let names =
            (isName ? [plain] : []) + (plain.first?.isLetter == true ? ["\(plain)Interface"] : [])
        return take(names + ["\(stem)\(plain)"], from: &taken)
    }

    /// Returns `test_order_client`, or a name with the package's name in it if that is taken.
    mutating func testClient(of service: ServiceModel) -> String {
        let old = service.methods.lazy.compactMap { [kept] in
            kept["\(service.fullName).\($0.name)"]?.testClient
        }.first
        if let old, !old.isEmpty { return old }
        let plain = service.fullName.split(separator: ".").last.map(String.init) ?? ""
        let names = [plain, service.fullName.replacing(".", with: "_")].map {
            "test_\(SnakeCase.of($0))_client"
        }
        return take(names, from: &programs)
    }

    /// Whether a file with this name would be the entry of a program: SwiftPM ignores the case.
    private static func isMain(_ name: String) -> Bool { name.lowercased() == "main" }

    /// Returns the first candidate that is free, or else the last one with a number.
    private func take(_ candidates: [String], from names: inout Set<String>) -> String {
        let numbered = (2...).lazy.map { "\(candidates[candidates.count - 1])\($0)" }
        let found =
            candidates.first { !names.contains($0) } ?? numbered.first { !names.contains($0) } ?? ""
        names.insert(found)
        return found
    }
}
