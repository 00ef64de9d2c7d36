/// A whole generated file.
struct FilePiece {
    let file: FileModel
    let options: GeneratorOptions
    let names: RuntimeNames

    var text: String { lines.text }

    private var lines: Lines {
        let head = [
            HeaderPiece.lines(protoPath: file.protoPath),
            HeaderPiece.imports(
                file.messageModules, level: options.visibility,
                explicit: options.accessLevelOnImports),
            MessageNamesPiece.lines(file.messageNames, level: options.visibility),
        ]
        let descriptors =
            hasDescriptors ? [DescriptorsPiece(bytes: file.descriptors, names: names).lines] : []
        return .joined(head + file.services.flatMap(blocks) + descriptors)
    }

    private var hasDescriptors: Bool {
        options.server && options.descriptors && !file.descriptors.isEmpty
    }

    private func blocks(of service: ServiceModel) -> [Lines] {
        let level = options.visibility
        var blocks = [["// MARK: - \(service.fullName)"]]
        if options.server {
            let server = ServerPiece(
                service: service, level: level, names: names, hasDescriptors: hasDescriptors)
            blocks.append(server.lines)
            blocks.append(
                SynchronousPiece(service: service, level: level, names: names).lines)
        }
        blocks.append(MethodsPiece(service: service, level: level, names: names).lines)
        if options.client {
            blocks.append(ClientPiece(service: service, level: level, names: names).lines)
        }
        return blocks
    }
}
