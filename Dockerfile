# The product's one binary: okviz api | worker | migrate | …
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w" -o /okviz ./cmd/okviz

# Alpine brings certificates of authority, and wget for health checks.
FROM alpine:3.23
COPY --from=build /okviz /usr/local/bin/okviz
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["okviz"]
