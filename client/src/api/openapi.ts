// Made of openapi.json by `npm run client:types`.

export interface paths {
    "/.well-known/idempotency": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getIdempotencyPolicy"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/console": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getConsole"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getDocs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["checkLive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["checkReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOpenApi"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/problems": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listProblems"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/problems/{code}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getProblem"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/deliveries/{id}/redeliver": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["redeliverWebhook"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/events/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getEvent"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listOperations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations/seal": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["sealKey"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOperation"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations/{id}/decision": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["decideOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/operations/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["resumeOperation"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listOrders"];
        put?: never;
        post: operations["placeOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/batch": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["placeOrders"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/orders/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getOrder"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch: operations["changeOrder"];
        trace?: never;
    };
    "/v1/orders/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["cancelOrder"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payments": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listPayments"];
        put?: never;
        post: operations["createPayment"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payments/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getPayment"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/payments/{id}/refunds": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["createRefund"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/products": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listProducts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/products/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getProduct"];
        put: operations["putProduct"];
        post?: never;
        delete: operations["deleteProduct"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/products/{id}/stock-changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["changeStock"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/provider/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["receiveProviderEvent"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/refunds/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getRefund"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tickets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listTickets"];
        put?: never;
        post: operations["openTicket"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/tickets/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getTicket"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch: operations["changeTicket"];
        trace?: never;
    };
    "/v1/webhook-endpoints": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listWebhookEndpoints"];
        put?: never;
        post: operations["createWebhookEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getWebhookEndpoint"];
        put?: never;
        post?: never;
        delete: operations["deleteWebhookEndpoint"];
        options?: never;
        head?: never;
        patch: operations["changeWebhookEndpoint"];
        trace?: never;
    };
    "/v1/webhook-endpoints/{id}/deliveries": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["listWebhookDeliveries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{id}/rotate-secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["rotateWebhookSecret"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{id}/secret": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get: operations["getWebhookSecret"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/webhook-endpoints/{id}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post: operations["testWebhookEndpoint"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description An order of a batch: what would be sent alone, and its key. */
        BatchOrder: {
            /** @description What is ordered; no product twice. */
            items: components["schemas"]["CreateOrderItem"][];
            /**
             * @description ISO 4217 code; another one than the account’s refuses the order.
             * @example EUR
             */
            currency?: string | null;
            /**
             * Format: int64
             * @description What the buyer was shown, in the minor unit; another total refuses the order.
             * @example 5000
             */
            expectedTotal?: number | null;
            /**
             * @description The client’s own name for the order. Card numbers are refused.
             * @example cart-7781
             */
            customerReference?: string | null;
            /**
             * @description At most 50 texts of at most 500 characters, under names of 1 to 255; the service keeps them and reads nothing into them. Card numbers are refused.
             * @example {
             *       "channel": "web"
             *     }
             */
            metadata?: {
                [key: string]: string;
            } | null;
            /**
             * @description Its own Idempotency-Key, with the syntax of the header.
             * @example 019bc0fd-8a39-7d4e-b6a2-0c9f4e1d7b35
             */
            idempotencyKey: string;
        };
        /** @description What one order of a batch came to. */
        BatchResult: {
            /**
             * @description Its place in the request, from 0.
             * @example 0
             */
            index: number;
            /**
             * @description The status that it would have alone.
             * @example 201
             */
            status: number;
            /** @description The order, where it was placed, by this batch or before. */
            order?: components["schemas"]["Order"];
            /** @description Why it was not. */
            problem?: components["schemas"]["Problem"];
        };
        /** @description What the orders of a batch came to. */
        BatchResults: {
            /** @description One result for each order, in the order of the request. */
            results: components["schemas"]["BatchResult"][];
        };
        /** @description An action without members; an empty body will do. */
        CancelOrder: Record<string, never>;
        /** @description What comes to a stock or goes from it, other than by orders. */
        ChangeStock: {
            /**
             * Format: int32
             * @description How many pieces come, or below zero, go. Not 0.
             * @example 50
             */
            change: number;
            /**
             * @description Why. Card numbers are refused.
             * @example delivery 4711
             */
            reason?: string | null;
        };
        /** @description Several new orders. */
        CreateBatch: {
            /**
             * @description True: all orders or none. False: each stands alone.
             * @example false
             */
            atomic: boolean;
            /** @description The orders; at most 500 items in all of them together. */
            orders: components["schemas"]["BatchOrder"][];
        };
        /** @description A new order. Prices come from the catalogue. */
        CreateOrder: {
            /** @description What is ordered; no product twice. */
            items: components["schemas"]["CreateOrderItem"][];
            /**
             * @description ISO 4217 code; another one than the account’s refuses the order.
             * @example EUR
             */
            currency?: string | null;
            /**
             * Format: int64
             * @description What the buyer was shown, in the minor unit; another total refuses the order.
             * @example 5000
             */
            expectedTotal?: number | null;
            /**
             * @description The client’s own name for the order. Card numbers are refused.
             * @example cart-7781
             */
            customerReference?: string | null;
            /**
             * @description At most 50 texts of at most 500 characters, under names of 1 to 255; the service keeps them and reads nothing into them. Card numbers are refused.
             * @example {
             *       "channel": "web"
             *     }
             */
            metadata?: {
                [key: string]: string;
            } | null;
        };
        /** @description One line of a new order. */
        CreateOrderItem: {
            /**
             * @description A product of the catalogue.
             * @example 123
             */
            productId: string;
            /**
             * @description How many pieces.
             * @example 2
             */
            quantity: number;
        };
        /** @description A payment of an order. */
        CreatePayment: {
            /**
             * @description The order to pay. Card numbers are refused.
             * @example ord_01kf0fv330e05ba0skavc5nrw7
             */
            orderId: string;
            /**
             * Format: int64
             * @description The order’s total, in the minor unit.
             * @example 5000
             */
            amount: number;
            /**
             * @description ISO 4217 code of the account’s currency.
             * @example EUR
             */
            currency: string;
            /**
             * @description A token of the provider. Card numbers are refused: they must never reach this service.
             * @example tok_visa
             */
            source: string;
        };
        /** @description A refund of a payment. */
        CreateRefund: {
            /**
             * Format: int64
             * @description In the minor unit; what is left of the payment, where it isn’t given.
             * @example 1000
             */
            amount?: number | null;
            /**
             * @description Why, in the client’s own words. Card numbers are refused.
             * @example sent back
             */
            reason?: string | null;
        };
        /** @description A new request for support. */
        CreateTicket: {
            /**
             * @description What it is about, in a line. Card numbers are refused.
             * @example Lamp is dark
             */
            subject: string;
            /**
             * @description The whole story. Card numbers are refused.
             * @example One of the two lamps does not light up.
             */
            description: string;
            /**
             * @description The order that it is about, where there is one. Card numbers are refused.
             * @example ord_01kf0fv330e05ba0skavc5nrw7
             */
            orderId?: string | null;
            /**
             * @description How urgent it is.
             * @enum {string}
             */
            priority: "low" | "normal" | "high";
        };
        /** @description A new webhook endpoint. */
        CreateWebhookEndpoint: {
            /**
             * @description Where events are posted. It begins with `https://`, and leads to a public address; what else is allowed is the operator’s list.
             * @example https://shop.example.com/webhooks
             */
            url: string;
            /**
             * @description Types of the events that are wanted; `*` for all, those to come too.
             * @example [
             *       "order.paid",
             *       "refund.succeeded"
             *     ]
             */
            types: ("*" | "order.created" | "order.updated" | "order.cancelled" | "order.paid" | "payment.processing" | "payment.succeeded" | "payment.failed" | "refund.succeeded" | "refund.failed" | "ticket.created" | "ticket.updated" | "product.created" | "product.updated" | "product.deleted")[];
            /**
             * @description What it is for. Card numbers are refused.
             * @example The warehouse
             */
            description?: string | null;
        };
        /** @description A decision about a payment or refund of which the provider can’t tell. */
        Decide: {
            /**
             * @description Whether the charge, or the refund, happened at the provider.
             * @example happened
             * @enum {string}
             */
            outcome: "happened" | "did-not-happen";
            /**
             * @description The provider’s id of what happened. A payment without one can’t be refunded here. Card numbers are refused.
             * @example ch_5f2c9a
             */
            providerReference?: string | null;
            /**
             * @description How it was found out; it stands in the timeline. Card numbers are refused.
             * @example seen in the dashboard
             */
            note: string;
        };
        /** @description Something that became true, as it was written down in the transaction that made it so. */
        Event: {
            /**
             * @description Id of the event.
             * @example evt_01kf0fv3dqe8sr2nqx0d4m9t1k
             */
            id: string;
            /**
             * @description What became true.
             * @example order.created
             * @enum {string}
             */
            type: "order.created" | "order.updated" | "order.cancelled" | "order.paid" | "payment.processing" | "payment.succeeded" | "payment.failed" | "refund.succeeded" | "refund.failed" | "ticket.created" | "ticket.updated" | "product.created" | "product.updated" | "product.deleted";
            /**
             * Format: date-time
             * @description When it became true (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            createdAt: string;
            /**
             * @description The operation that made it true; null where no request with a key did.
             * @example op_01kf0fv3dpeyt80w9nzcbvrcmt
             */
            operationId: string | null;
            /**
             * @description The key of that request; null where there was none.
             * @example 01933c1e-7bb3-7a51-8d0e-3a4f0c5e9b21
             */
            idempotencyKey: string | null;
            /** @description What it is about. */
            resource: components["schemas"]["EventResource"];
            /** @description The resource as the API showed it at that version. */
            data: {
                [key: string]: unknown;
            };
        };
        /** @description One page of a list, newest first. */
        EventPage: {
            data: components["schemas"]["Event"][];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            nextCursor: string | null;
        };
        /** @description What an event is about. */
        EventResource: {
            /**
             * @description What it is.
             * @example order
             */
            type: string;
            /**
             * @description Its id.
             * @example ord_01kf0fv330e05ba0skavc5nrw7
             */
            id: string;
            /**
             * Format: int32
             * @description Its version when it had become so.
             * @example 1
             */
            version: number;
        };
        /** @description What was checked, and how it stands. */
        HealthReport: {
            /**
             * @description All of it together.
             * @enum {string}
             */
            status: "ok" | "error" | "shutting_down";
            /** @description The checks that passed. */
            info: {
                [key: string]: {
                    status: string;
                    reason?: string;
                    /** @enum {string} */
                    gate?: "open" | "closed";
                    /** @enum {string} */
                    commits?: "unconfirmed";
                };
            };
            /** @description The checks that failed, and why. */
            error: {
                [key: string]: {
                    status: string;
                    reason?: string;
                    /** @enum {string} */
                    gate?: "open" | "closed";
                    /** @enum {string} */
                    commits?: "unconfirmed";
                };
            };
            /** @description All checks. */
            details: {
                [key: string]: {
                    status: string;
                    reason?: string;
                    /** @enum {string} */
                    gate?: "open" | "closed";
                    /** @enum {string} */
                    commits?: "unconfirmed";
                };
            };
        };
        /** @description The story of one request with a key. */
        Operation: {
            /**
             * @description Id of the operation.
             * @example op_01kf0fv3dpeyt80w9nzcbvrcmt
             */
            id: string;
            /**
             * @description Method and route.
             * @example POST /v1/payments
             */
            operation: string;
            /**
             * @description `interrupted`: nobody has it in hand; it will be finished.
             * @enum {string}
             */
            status: "running" | "interrupted" | "completed";
            /**
             * @description The step that it goes on with, or ended with; null where it has none.
             * @example payments.charge
             */
            recoveryPoint: string | null;
            /**
             * @description How often its present step was begun.
             * @example 1
             */
            attempts: number;
            /**
             * Format: uri-reference
             * @description Path of what it made or changed.
             * @example null
             */
            resource: string | null;
            /** @description Null while there is none. */
            response: components["schemas"]["OperationResponse"] | null;
            /**
             * @description How often the answer was replayed.
             * @example 0
             */
            replays: number;
            /**
             * Format: date-time
             * @description When it was made (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it was completed (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            completedAt: string | null;
            /**
             * Format: date-time
             * @description From then on its key is expired (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            expiresAt: string | null;
            /** @description What happened, in order. */
            timeline: components["schemas"]["OperationEvent"][];
        };
        /** @description One line of the story of an operation. */
        OperationEvent: {
            /**
             * Format: date-time
             * @description When (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            at: string;
            /**
             * @description What happened.
             * @example provider-answered
             */
            event: string;
            /**
             * @description More about it.
             * @example payments.charge, attempt 1
             */
            detail: string;
        };
        /** @description One page of a list, newest first. */
        OperationPage: {
            data: components["schemas"]["Operation"][];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            nextCursor: string | null;
        };
        /** @description What the operation answered. */
        OperationResponse: {
            /**
             * @description HTTP status.
             * @example 201
             */
            status: number;
        };
        /** @description An order. */
        Order: {
            /**
             * @description Id of the order.
             * @example ord_01kf0fv330e05ba0skavc5nrw7
             */
            id: string;
            /**
             * @description How far it has come.
             * @enum {string}
             */
            status: "pending" | "paid" | "cancelled";
            /** @description What was ordered. */
            items: components["schemas"]["OrderItem"][];
            /**
             * @description ISO 4217 code of the account’s currency.
             * @example EUR
             */
            currency: string;
            /**
             * Format: int64
             * @description Sum of all lines, in the minor unit.
             * @example 5000
             */
            total: number;
            /**
             * @description The client’s own name for the order.
             * @example cart-7781
             */
            customerReference: string | null;
            /**
             * @description At most 50 texts of at most 500 characters, under names of 1 to 255; the service keeps them and reads nothing into them.
             * @example {
             *       "channel": "web"
             *     }
             */
            metadata: {
                [key: string]: string;
            };
            /**
             * Format: int32
             * @description Grows with every change. In quotes it is the ETag.
             * @example 1
             */
            version: number;
            /**
             * Format: date-time
             * @description When it was made (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it last changed (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            updatedAt: string;
        };
        /** @description One line of an order, as agreed when it was placed. */
        OrderItem: {
            /**
             * @description A product of the catalogue.
             * @example 123
             */
            productId: string;
            /**
             * @description Its name at that time.
             * @example Harbour lamp
             */
            name: string;
            /**
             * @description How many pieces.
             * @example 2
             */
            quantity: number;
            /**
             * Format: int64
             * @description Price of one piece at that time, in the minor unit.
             * @example 2500
             */
            unitPrice: number;
        };
        /** @description One page of a list, newest first. */
        OrderPage: {
            data: components["schemas"]["Order"][];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            nextCursor: string | null;
        };
        /** @description A payment of an order. */
        Payment: {
            /**
             * @description Id of the payment.
             * @example pay_01kf0fv2wje87tas37vg7k03sp
             */
            id: string;
            /**
             * @description The order that it pays.
             * @example ord_01kf0fv330e05ba0skavc5nrw7
             */
            orderId: string;
            /**
             * @description `processing`: the provider’s answer is not known yet.
             * @enum {string}
             */
            status: "processing" | "succeeded" | "failed";
            /**
             * Format: int64
             * @description In the minor unit.
             * @example 5000
             */
            amount: number;
            /**
             * @description ISO 4217 code of the account’s currency.
             * @example EUR
             */
            currency: string;
            /**
             * Format: int64
             * @description Sum of the refunds that succeeded, in the minor unit.
             * @example 0
             */
            amountRefunded: number;
            /**
             * @description Why it failed, in the provider’s words; `decided_not_charged` where a person decided it, `deadline_passed` where its deadline came first, `refunded_after_restore` where a restored database had lost it.
             * @example insufficient_funds
             */
            failureCode: string | null;
            /**
             * @description The provider’s id of the charge.
             * @example ch_5f2c9a
             */
            providerReference: string | null;
            /**
             * Format: int32
             * @description Grows with every change; events name it.
             * @example 1
             */
            version: number;
            /**
             * Format: date-time
             * @description When it was made (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it last changed (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            updatedAt: string;
        };
        /** @description One page of a list, newest first. */
        PaymentPage: {
            data: components["schemas"]["Payment"][];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            nextCursor: string | null;
        };
        /** @description What a key means here. */
        Policy: {
            /** @description The header that carries the key. */
            header: components["schemas"]["PolicyHeader"];
            /** @description Methods of the operations that need a key. */
            methods: string[];
            /** @description Every operation, with what it guarantees. */
            operations: components["schemas"]["PolicyOperation"][];
            /** @description What to do after each problem, by its code. */
            verdicts: {
                [key: string]: "same-key" | "new-key" | "never";
            };
        };
        /** @description That an operation is going away. */
        PolicyDeprecation: {
            /** @description Since when nobody should begin to use it. */
            since: string;
            /** @description When it may stop answering. */
            sunset?: string;
            /**
             * Format: uri-reference
             * @description What takes its place.
             */
            guide: string;
        };
        /** @description The header that carries the key. */
        PolicyHeader: {
            /**
             * @description Its name.
             * @example Idempotency-Key
             */
            name: string;
            /** @description What may stand in it, in words. */
            syntax: string;
            /** @description The same as a regular expression. */
            pattern: string;
            /**
             * @description The longest key, in characters.
             * @example 255
             */
            maxLength: number;
        };
        /** @description What one operation guarantees: its `x-idempotency`. */
        PolicyOperation: {
            /**
             * @description Method.
             * @example POST
             */
            method: string;
            /**
             * @description Path, with its parameters in braces.
             * @example /v1/orders
             */
            path: string;
            /**
             * @description Its name in this document.
             * @example placeOrder
             */
            operationId: string;
            /** @description Null while it stays. */
            deprecation: components["schemas"]["PolicyDeprecation"] | null;
            /** @description Whether it needs a key. */
            required: boolean;
            /**
             * @description How long its answer is kept from its completion; null without a key.
             * @example 24h
             */
            window: string | null;
            /**
             * @description What happens once, however often it is sent.
             * @example one order
             */
            effects: string;
            /** @description What becomes of requests at once under one key. */
            concurrent: string;
            /** @description Which answers are stored and replayed: statuses of success, and codes of problems; null without a key. */
            stored: (number | string)[] | null;
            /**
             * @description How long the same request under another key is a possible duplicate; null where nobody looks.
             * @example 2m
             */
            duplicateWindow: string | null;
            /**
             * @description What becomes of a request whose key’s window has passed; null without a key.
             * @enum {string|null}
             */
            lateRequests: "refuse" | "execute" | null;
        };
        /** @description An error (RFC 9457). A client that obeys `retry` alone ends every failure with one effect. */
        Problem: {
            /**
             * Format: uri-reference
             * @description Address of a page that explains the problem.
             */
            type: string;
            /** @description The same for every problem of this type. */
            title: string;
            status: number;
            /** @description What was wrong this time. */
            detail: string;
            /**
             * Format: uri-reference
             * @description The path that was asked, or the operation that ended this way.
             */
            instance: string;
            /**
             * @description The last part of `type`, for programs.
             * @enum {string}
             */
            code: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid" | "unauthenticated" | "invalid-signature" | "insufficient-scope" | "payment-declined" | "refund-declined" | "not-found" | "request-timeout" | "insufficient-stock" | "deadline-passed" | "order-not-cancellable" | "order-not-payable" | "payment-in-progress" | "refund-exceeds-payment" | "webhook-endpoint-limit" | "secret-rotated-recently" | "operation-running" | "not-under-review" | "idempotency-request-in-progress" | "idempotency-key-sealed" | "possible-duplicate" | "idempotency-key-expired" | "precondition-failed" | "payload-too-large" | "unsupported-media-type" | "idempotency-key-reused" | "unknown-product" | "total-mismatch" | "amount-mismatch" | "currency-mismatch" | "total-too-large" | "stock-too-large" | "batch-rolled-back" | "precondition-required" | "rate-limited" | "internal-error" | "provider-unavailable" | "service-unavailable";
            /**
             * @description `same-key`: send it again unchanged, with the same key, after Retry-After. `new-key`: the outcome of this key is final, another try of the intent takes a new key. `never`: don’t send it again as it is.
             * @enum {string}
             */
            retry: "same-key" | "new-key" | "never";
            /** @description X-Request-Id of the request that the problem arose in. */
            requestId?: string;
            /** @description The operation, where there is one. */
            operationId?: string;
            /** @description What is wrong with the request, one entry for each place. */
            errors?: {
                /** @description JSON pointer (RFC 6901) to the member, or the name of a parameter. */
                pointer: string;
                detail: string;
            }[];
        };
        /** @description What a problem means, and what to do about it. */
        ProblemExplanation: {
            /**
             * Format: uri-reference
             * @description `type` of the problem: where this explanation is.
             */
            type: string;
            /**
             * @description `code` of the problem.
             * @enum {string}
             */
            code: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid" | "unauthenticated" | "invalid-signature" | "insufficient-scope" | "payment-declined" | "refund-declined" | "not-found" | "request-timeout" | "insufficient-stock" | "deadline-passed" | "order-not-cancellable" | "order-not-payable" | "payment-in-progress" | "refund-exceeds-payment" | "webhook-endpoint-limit" | "secret-rotated-recently" | "operation-running" | "not-under-review" | "idempotency-request-in-progress" | "idempotency-key-sealed" | "possible-duplicate" | "idempotency-key-expired" | "precondition-failed" | "payload-too-large" | "unsupported-media-type" | "idempotency-key-reused" | "unknown-product" | "total-mismatch" | "amount-mismatch" | "currency-mismatch" | "total-too-large" | "stock-too-large" | "batch-rolled-back" | "precondition-required" | "rate-limited" | "internal-error" | "provider-unavailable" | "service-unavailable";
            /** @description `title` of the problem. */
            title: string;
            /** @description HTTP status. */
            status: number;
            /**
             * @description `retry` of the problem.
             * @enum {string}
             */
            retry: "same-key" | "new-key" | "never";
            /** @description What happened. */
            meaning: string;
            /** @description What the client should do. */
            advice: string;
            /** @description What the verdict in `retry` asks for. */
            retryMeaning: string;
        };
        /** @description Every problem of this service. */
        ProblemExplanations: {
            data: components["schemas"]["ProblemExplanation"][];
        };
        /** @description What can be ordered. */
        Product: {
            /**
             * @description Id of the product.
             * @example 123
             */
            id: string;
            /**
             * @description What it is called.
             * @example Harbour lamp
             */
            name: string;
            /**
             * Format: int64
             * @description Price of one piece, in the minor unit of the account’s currency.
             * @example 2500
             */
            unitPrice: number;
            /**
             * @description ISO 4217 code of the account’s currency.
             * @example EUR
             */
            currency: string;
            /**
             * Format: int32
             * @description How many pieces are left.
             * @example 10000
             */
            stock: number;
            /**
             * Format: int32
             * @description Grows with every change but those of the stock. In quotes it is the ETag.
             * @example 1
             */
            version: number;
        };
        /** @description One page of a list, newest first. */
        ProductPage: {
            data: components["schemas"]["Product"][];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            nextCursor: string | null;
        };
        /** @description A product as it shall be; in the account’s currency. */
        PutProduct: {
            /**
             * @description What it is called. Card numbers are refused.
             * @example Harbour lamp
             */
            name: string;
            /**
             * Format: int64
             * @description Price of one piece, in the minor unit of the account’s currency.
             * @example 2500
             */
            unitPrice: number;
        };
        /** @description A refund of a payment. */
        Refund: {
            /**
             * @description Id of the refund.
             * @example re_01kf0fv2xre889166n6hx7sz4y
             */
            id: string;
            /**
             * @description The payment that it gives back.
             * @example pay_01kf0fv2wje87tas37vg7k03sp
             */
            paymentId: string;
            /**
             * Format: int64
             * @description In the minor unit.
             * @example 1000
             */
            amount: number;
            /**
             * @description ISO 4217 code of the account’s currency.
             * @example EUR
             */
            currency: string;
            /**
             * @description `processing`: the provider’s answer is not known yet.
             * @enum {string}
             */
            status: "processing" | "succeeded" | "failed";
            /**
             * @description Why, in the client’s own words.
             * @example sent back
             */
            reason: string | null;
            /**
             * @description Why it failed, in the provider’s words; `decided_not_charged` where a person decided it, `deadline_passed` where its deadline came first, `refunded_after_restore` where a restored database had lost it.
             * @example insufficient_funds
             */
            failureCode: string | null;
            /**
             * Format: int32
             * @description Grows with every change; events name it.
             * @example 1
             */
            version: number;
            /**
             * Format: date-time
             * @description When it was made (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it last changed (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            updatedAt: string;
        };
        /** @description A key that nobody may use any more. */
        SealKey: {
            /**
             * @description The key, bare or quoted as in the header.
             * @example 01a21a5b-7c00-7e5c-9f6e-0d7e6f3c2b1a
             */
            idempotencyKey: string;
        };
        /** @description What a key is after it was to be sealed. */
        SealedKey: {
            /**
             * @description The key, bare.
             * @example 01a21a5b-7c00-7e5c-9f6e-0d7e6f3c2b1a
             */
            idempotencyKey: string;
            /**
             * @description `sealed`: no request with it has executed, and none ever will. `completed`: one has, and nothing was changed.
             * @enum {string}
             */
            state: "sealed" | "completed";
            /** @description What was done with a key that was used. */
            operation?: components["schemas"]["Operation"];
        };
        /** @description What became of a stock. */
        StockChange: {
            /**
             * @description The product.
             * @example 123
             */
            productId: string;
            /**
             * Format: int32
             * @description How many pieces come, or below zero, go. Not 0.
             * @example 50
             */
            change: number;
            /**
             * Format: int32
             * @description How many pieces there were right after it.
             * @example 10000
             */
            stock: number;
        };
        /** @description A request for support. */
        Ticket: {
            /**
             * @description Id of the ticket.
             * @example tkt_01kf0fv329e5yr6dkty8rxn4xr
             */
            id: string;
            /**
             * @description What it is about, in a line.
             * @example Lamp is dark
             */
            subject: string;
            /**
             * @description The whole story.
             * @example One of the two lamps does not light up.
             */
            description: string;
            /**
             * @description The order that it is about, where there is one.
             * @example ord_01kf0fv330e05ba0skavc5nrw7
             */
            orderId: string | null;
            /**
             * @description How far it has come.
             * @enum {string}
             */
            status: "open" | "pending" | "closed";
            /**
             * @description How urgent it is.
             * @enum {string}
             */
            priority: "low" | "normal" | "high";
            /**
             * Format: int32
             * @description Grows with every change. In quotes it is the ETag.
             * @example 1
             */
            version: number;
            /**
             * Format: date-time
             * @description When it was made (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it last changed (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            updatedAt: string;
        };
        /** @description One page of a list, newest first. */
        TicketPage: {
            data: components["schemas"]["Ticket"][];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            nextCursor: string | null;
        };
        /** @description What may change in an order. Members that are absent stay; `metadata` is replaced as a whole. */
        UpdateOrder: {
            /**
             * @description The client’s own name for the order; null removes it. Card numbers are refused.
             * @example cart-7781
             */
            customerReference?: string | null;
            /**
             * @description At most 50 texts of at most 500 characters, under names of 1 to 255; the service keeps them and reads nothing into them. Card numbers are refused.
             * @example {
             *       "channel": "web"
             *     }
             */
            metadata?: {
                [key: string]: string;
            };
        };
        /** @description What may change in a ticket. Members that are absent stay. */
        UpdateTicket: {
            /**
             * @description How far it has come.
             * @enum {string}
             */
            status?: "open" | "pending" | "closed";
            /**
             * @description How urgent it is.
             * @enum {string}
             */
            priority?: "low" | "normal" | "high";
        };
        /** @description What may change in a webhook endpoint. Members that are absent stay. */
        UpdateWebhookEndpoint: {
            /**
             * @description Where events are posted. It begins with `https://`, and leads to a public address; what else is allowed is the operator’s list.
             * @example https://shop.example.com/webhooks
             */
            url?: string;
            /**
             * @description Types of the events that are wanted; `*` for all, those to come too.
             * @example [
             *       "order.paid",
             *       "refund.succeeded"
             *     ]
             */
            types?: ("*" | "order.created" | "order.updated" | "order.cancelled" | "order.paid" | "payment.processing" | "payment.succeeded" | "payment.failed" | "refund.succeeded" | "refund.failed" | "ticket.created" | "ticket.updated" | "product.created" | "product.updated" | "product.deleted")[];
            /**
             * @description What it is for. Card numbers are refused.
             * @example The warehouse
             */
            description?: string | null;
            /**
             * @description Whether it is sent to. Of a disabled one all that is pending waits, and so do the events since, for 30 days.
             * @enum {string}
             */
            status?: "enabled" | "disabled";
        };
        /** @description An action without members; an empty body will do. */
        WebhookAction: Record<string, never>;
        /** @description One try to deliver. */
        WebhookAttempt: {
            /**
             * @description Which one; a number that is missing was cut off.
             * @example 1
             */
            attempt: number;
            /**
             * Format: date-time
             * @description When it ended (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            at: string;
            /**
             * @description What the receiver answered; null where it didn’t.
             * @example 200
             */
            status: number | null;
            /**
             * @description Why there is no answer: `timeout`, `address-refused`, `name-unknown`, `connection-refused`, `tls`, `connection`, `event-purged`.
             * @example null
             */
            error: string | null;
            /**
             * @description How long it took, in milliseconds.
             * @example 84
             */
            ms: number;
        };
        /** @description One event on its way to one endpoint. */
        WebhookDelivery: {
            /**
             * @description Id of the delivery.
             * @example dlv_01kf0fv3gqf4rvd0w2b7x5n3jm
             */
            id: string;
            /**
             * @description The endpoint.
             * @example we_01kf0fv3fpe1cb5sy4m9t6z8qd
             */
            endpointId: string;
            /**
             * @description The event, which `webhook-id` names.
             * @example evt_01kf0fv3dqe8sr2nqx0d4m9t1k
             */
            eventId: string;
            /**
             * @description Type of the event; `endpoint.test` for a test.
             * @example order.paid
             */
            eventType: string;
            /**
             * @description `delivered`: the receiver answered 2xx. `dead`: given up after four days of failures; a redelivery tries again.
             * @enum {string}
             */
            status: "pending" | "delivered" | "dead";
            /**
             * Format: date-time
             * @description When it is tried next, at the earliest; null when it is over.
             * @example 2026-01-15T09:30:00.120Z
             */
            nextAttemptAt: string | null;
            /** @description The last attempts, oldest first. */
            attempts: components["schemas"]["WebhookAttempt"][];
            /**
             * Format: date-time
             * @description When it was made (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it was delivered or given up.
             * @example 2026-01-15T09:30:00.120Z
             */
            completedAt: string | null;
        };
        /** @description One page of a list, newest first. */
        WebhookDeliveryPage: {
            data: components["schemas"]["WebhookDelivery"][];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            nextCursor: string | null;
        };
        /** @description Where the account is told of its events. */
        WebhookEndpoint: {
            /**
             * @description Id of the endpoint.
             * @example we_01kf0fv3fpe1cb5sy4m9t6z8qd
             */
            id: string;
            /**
             * @description Where events are posted. It begins with `https://`, and leads to a public address; what else is allowed is the operator’s list.
             * @example https://shop.example.com/webhooks
             */
            url: string;
            /**
             * @description Types of the events that are wanted; `*` for all, those to come too.
             * @example [
             *       "order.paid",
             *       "refund.succeeded"
             *     ]
             */
            types: ("*" | "order.created" | "order.updated" | "order.cancelled" | "order.paid" | "payment.processing" | "payment.succeeded" | "payment.failed" | "refund.succeeded" | "refund.failed" | "ticket.created" | "ticket.updated" | "product.created" | "product.updated" | "product.deleted")[];
            /**
             * @description What it is for.
             * @example The warehouse
             */
            description: string | null;
            /**
             * @description Whether it is sent to. Of a disabled one all that is pending waits, and so do the events since, for 30 days.
             * @enum {string}
             */
            status: "enabled" | "disabled";
            /**
             * @description Why the service disabled it: all attempts failed for three days, or the receiver answered 410. Null otherwise.
             * @enum {string|null}
             */
            disabledReason: "failing" | "gone" | null;
            /**
             * Format: date-time
             * @description Since when every attempt has failed; null when the last one succeeded.
             * @example 2026-01-15T09:30:00.120Z
             */
            failingSince: string | null;
            /**
             * Format: date-time
             * @description Until when messages are signed with the secret before this one as well; null where there is none.
             * @example 2026-01-15T09:30:00.120Z
             */
            previousSecretValidUntil: string | null;
            /**
             * Format: date-time
             * @description When it was made (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            createdAt: string;
            /**
             * Format: date-time
             * @description When it last changed (UTC).
             * @example 2026-01-15T09:30:00.120Z
             */
            updatedAt: string;
        };
        /** @description One page of a list, newest first. */
        WebhookEndpointPage: {
            data: components["schemas"]["WebhookEndpoint"][];
            /** @description What to send as `cursor` for the next page; null on the last one. */
            nextCursor: string | null;
        };
        /** @description What an endpoint’s messages are signed with. */
        WebhookSecret: {
            /**
             * @description `whsec_` and base64 of 32 bytes.
             * @example whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
             */
            secret: string;
            /**
             * @description The one before, with which messages are signed as well for 24 hours; null where there is none.
             * @example null
             */
            previousSecret: string | null;
            /**
             * Format: date-time
             * @description Until when that is so.
             * @example 2026-01-15T09:30:00.120Z
             */
            previousSecretValidUntil: string | null;
        };
    };
    responses: never;
    parameters: {
        /**
         * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
         * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
         */
        IdempotencyKey: string;
        /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
        Prefer: string;
        /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
        RetryAttempt: string;
        /** @description Why the client tries again. It is recorded and changes nothing else. */
        RetryReason: "timeout" | "connection" | "server-error" | "in-progress" | "rate-limited" | "offline" | "manual";
        /**
         * @description ETag of the version that the change is meant for (RFC 9110, section 13.1.1).
         * @example "1"
         */
        IfMatch: string;
        /** @description ETag of the version that the change is meant for, or `*` for any (RFC 9110, section 13.1.1); without it for whatever is there. */
        IfMatchIfAny: string;
        /** @description `*`: only where there is nothing yet (RFC 9110, section 13.1.2). */
        IfNoneMatchOfChange: string;
        /** @description Until when it is wanted: an HTTP date, or 1 to 86400 seconds from the arrival of the first request, by the database’s clock. What arrives later is not executed (409 `deadline-passed`). It is no part of what the key stands for; that of the first request counts. */
        RequestDeadline: string;
        /** @description ETag of the version that the client has: when it is still the present one, the answer is 304 without a body. */
        IfNoneMatch: string;
    };
    requestBodies: never;
    headers: {
        /**
         * @description Names this request in logs: the one that was sent, when it is a sane token, else a made one.
         * @example 019bc0fd-8a40-7c11-8e5c-6a3f2d9b7e01
         */
        "X-Request-Id": string;
        /**
         * @description The key as it was received.
         * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
         */
        "Idempotency-Key": string;
        /**
         * @description Until when the answer is kept under this key (an HTTP date).
         * @example Fri, 16 Jan 2026 09:30:00 GMT
         */
        "Idempotency-Expires": string;
        /**
         * @description The operation that this key began.
         * @example op_01kf0fv3dpeyt80w9nzcbvrcmt
         */
        "Operation-Id": string;
        /**
         * @description `true` on a stored answer: status, headers and body are those of the first one, byte for byte. Absent on the first.
         * @example true
         */
        "Idempotent-Replayed": "true";
        /**
         * @description The preference of `Prefer` that was honoured.
         * @example wait=10
         */
        "Preference-Applied": string;
        /**
         * @description Path of what was made.
         * @example /v1/orders/ord_01kf0fv330e05ba0skavc5nrw7
         */
        Location: string;
        /**
         * @description Version of the resource; send it in If-Match or If-None-Match.
         * @example "1"
         */
        ETag: string;
        /**
         * @description With `rel="related"`, what an earlier request made (RFC 8288).
         * @example </v1/orders/ord_01kf0fv330e05ba0skavc5nrw7>; rel="related"
         */
        Link: string;
        /**
         * @description Whole seconds after which the same key may get another answer without any change by the client.
         * @example 1
         */
        "Retry-After": string;
        /**
         * @description How many requests (`q`) an account may send in so many seconds (`w`).
         * @example "default";q=60000;w=60
         */
        "RateLimit-Policy": string;
        /**
         * @description How many are left (`r`), and in how many seconds all of them are there again (`t`).
         * @example "default";r=59999;t=60
         */
        RateLimit: string;
        /**
         * @description What else the answer depends on (RFC 9110, section 12.5.5).
         * @example accept
         */
        Vary: string;
        /**
         * @description How to authenticate (RFC 6750).
         * @example Bearer realm="holdfast"
         */
        "WWW-Authenticate": string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    getIdempotencyPolicy: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "header": {
                     *         "name": "Idempotency-Key",
                     *         "syntax": "1 to 255 visible ASCII characters, bare or as an RFC 9651 string; both forms are the same key",
                     *         "pattern": "^(?:[!#-~][!-~]{0,254}|\"(?:[!#-\\[\\]-~]|\\\\[\"\\\\]){1,255}\")$",
                     *         "maxLength": 255
                     *       },
                     *       "methods": [
                     *         "PATCH",
                     *         "POST"
                     *       ],
                     *       "operations": [
                     *         {
                     *           "method": "POST",
                     *           "path": "/v1/tickets",
                     *           "operationId": "openTicket",
                     *           "deprecation": null,
                     *           "required": true,
                     *           "window": "24h",
                     *           "effects": "one ticket",
                     *           "concurrent": "one runs; the others get 409 idempotency-request-in-progress, or its answer with Prefer: wait=N",
                     *           "stored": [
                     *             201,
                     *             "not-found"
                     *           ],
                     *           "duplicateWindow": null,
                     *           "lateRequests": "refuse"
                     *         }
                     *       ],
                     *       "verdicts": {
                     *         "idempotency-request-in-progress": "same-key",
                     *         "payment-declined": "new-key",
                     *         "idempotency-key-reused": "never"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Policy"];
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
        };
    };
    getConsole: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /** @example <!doctype html> */
                    "text/html": string;
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
        };
    };
    getDocs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /** @example <!doctype html> */
                    "text/html": string;
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
        };
    };
    checkLive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "info": {
                     *         "process": {
                     *           "status": "up"
                     *         }
                     *       },
                     *       "error": {},
                     *       "details": {
                     *         "process": {
                     *           "status": "up"
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["HealthReport"];
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
        };
    };
    checkReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "ok",
                     *       "info": {
                     *         "shutdown": {
                     *           "status": "up"
                     *         },
                     *         "database": {
                     *           "status": "up"
                     *         },
                     *         "payments": {
                     *           "status": "up",
                     *           "gate": "open"
                     *         }
                     *       },
                     *       "error": {},
                     *       "details": {
                     *         "shutdown": {
                     *           "status": "up"
                     *         },
                     *         "database": {
                     *           "status": "up"
                     *         },
                     *         "payments": {
                     *           "status": "up",
                     *           "gate": "open"
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["HealthReport"];
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "status": "error",
                     *       "info": {
                     *         "shutdown": {
                     *           "status": "up"
                     *         },
                     *         "payments": {
                     *           "status": "up"
                     *         }
                     *       },
                     *       "error": {
                     *         "database": {
                     *           "status": "down",
                     *           "reason": "the database does not answer"
                     *         }
                     *       },
                     *       "details": {
                     *         "shutdown": {
                     *           "status": "up"
                     *         },
                     *         "database": {
                     *           "status": "down",
                     *           "reason": "the database does not answer"
                     *         },
                     *         "payments": {
                     *           "status": "up"
                     *         }
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["HealthReport"];
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /** @example idempotency_requests_total{operation="POST /v1/orders",outcome="replayed",retry_reason="timeout"} 1 */
                    "text/plain": string;
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
        };
    };
    getOpenApi: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /** @example {"openapi":"3.1.0"} */
                    "application/json": string;
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
        };
    };
    listProblems: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "type": "/problems/insufficient-stock",
                     *           "code": "insufficient-stock",
                     *           "title": "Not enough stock",
                     *           "status": 409,
                     *           "retry": "new-key",
                     *           "meaning": "A product has less stock than was ordered, or than a change would take from it. Nothing was reserved or changed.",
                     *           "advice": "Order or take less, or try again later under a new Idempotency-Key.",
                     *           "retryMeaning": "The outcome of this Idempotency-Key is final. If you still want it, try under a new key."
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["ProblemExplanations"];
                    /** @example <!doctype html> */
                    "text/html": string;
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
        };
    };
    getProblem: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description `code` of the problem.
                 * @example insufficient-stock
                 */
                code: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid" | "unauthenticated" | "invalid-signature" | "insufficient-scope" | "payment-declined" | "refund-declined" | "not-found" | "request-timeout" | "insufficient-stock" | "deadline-passed" | "order-not-cancellable" | "order-not-payable" | "payment-in-progress" | "refund-exceeds-payment" | "webhook-endpoint-limit" | "secret-rotated-recently" | "operation-running" | "not-under-review" | "idempotency-request-in-progress" | "idempotency-key-sealed" | "possible-duplicate" | "idempotency-key-expired" | "precondition-failed" | "payload-too-large" | "unsupported-media-type" | "idempotency-key-reused" | "unknown-product" | "total-mismatch" | "amount-mismatch" | "currency-mismatch" | "total-too-large" | "stock-too-large" | "batch-rolled-back" | "precondition-required" | "rate-limited" | "internal-error" | "provider-unavailable" | "service-unavailable";
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "type": "/problems/insufficient-stock",
                     *       "code": "insufficient-stock",
                     *       "title": "Not enough stock",
                     *       "status": 409,
                     *       "retry": "new-key",
                     *       "meaning": "A product has less stock than was ordered, or than a change would take from it. Nothing was reserved or changed.",
                     *       "advice": "Order or take less, or try again later under a new Idempotency-Key.",
                     *       "retryMeaning": "The outcome of this Idempotency-Key is final. If you still want it, try under a new key."
                     *     }
                     */
                    "application/json": components["schemas"]["ProblemExplanation"];
                    /** @example <!doctype html> */
                    "text/html": string;
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
        };
    };
    redeliverWebhook: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
            };
            path: {
                /**
                 * @description Id of the delivery.
                 * @example dlv_01kf0fv3gqf4rvd0w2b7x5n3jm
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["WebhookAction"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDelivery"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    listEvents: {
        parameters: {
            query?: {
                /** @description How many entries a page has. */
                limit?: number;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Only events of this type. */
                type?: "order.created" | "order.updated" | "order.cancelled" | "order.paid" | "payment.processing" | "payment.succeeded" | "payment.failed" | "refund.succeeded" | "refund.failed" | "ticket.created" | "ticket.updated" | "product.created" | "product.updated" | "product.deleted";
                /** @description Only events of the order, payment, refund, ticket or product with this id. */
                resource?: string;
                /** @description Id of an event: only events after it, oldest first. Not together with `cursor`. */
                after?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "id": "evt_01kf0fv3dqe8sr2nqx0d4m9t1k",
                     *           "type": "order.created",
                     *           "createdAt": "2026-01-15T09:30:00.120Z",
                     *           "operationId": "op_01kf0fv3dpeyt80w9nzcbvrcmt",
                     *           "idempotencyKey": "01933c1e-7bb3-7a51-8d0e-3a4f0c5e9b21",
                     *           "resource": {
                     *             "type": "order",
                     *             "id": "ord_01kf0fv330e05ba0skavc5nrw7",
                     *             "version": 1
                     *           },
                     *           "data": {
                     *             "id": "ord_01kf0fv330e05ba0skavc5nrw7",
                     *             "status": "pending",
                     *             "items": [
                     *               {
                     *                 "productId": "123",
                     *                 "name": "Harbour lamp",
                     *                 "quantity": 2,
                     *                 "unitPrice": 2500
                     *               }
                     *             ],
                     *             "currency": "EUR",
                     *             "total": 5000,
                     *             "customerReference": "cart-7781",
                     *             "metadata": {
                     *               "channel": "web"
                     *             },
                     *             "version": 1,
                     *             "createdAt": "2026-01-15T09:30:00.120Z",
                     *             "updatedAt": "2026-01-15T09:30:00.120Z"
                     *           }
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["EventPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    getEvent: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the event.
                 * @example evt_01kf0fv3dqe8sr2nqx0d4m9t1k
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "evt_01kf0fv3dqe8sr2nqx0d4m9t1k",
                     *       "type": "order.created",
                     *       "createdAt": "2026-01-15T09:30:00.120Z",
                     *       "operationId": "op_01kf0fv3dpeyt80w9nzcbvrcmt",
                     *       "idempotencyKey": "01933c1e-7bb3-7a51-8d0e-3a4f0c5e9b21",
                     *       "resource": {
                     *         "type": "order",
                     *         "id": "ord_01kf0fv330e05ba0skavc5nrw7",
                     *         "version": 1
                     *       },
                     *       "data": {
                     *         "id": "ord_01kf0fv330e05ba0skavc5nrw7",
                     *         "status": "pending",
                     *         "items": [
                     *           {
                     *             "productId": "123",
                     *             "name": "Harbour lamp",
                     *             "quantity": 2,
                     *             "unitPrice": 2500
                     *           }
                     *         ],
                     *         "currency": "EUR",
                     *         "total": 5000,
                     *         "customerReference": "cart-7781",
                     *         "metadata": {
                     *           "channel": "web"
                     *         },
                     *         "version": 1,
                     *         "createdAt": "2026-01-15T09:30:00.120Z",
                     *         "updatedAt": "2026-01-15T09:30:00.120Z"
                     *       }
                     *     }
                     */
                    "application/json": components["schemas"]["Event"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    listOperations: {
        parameters: {
            query?: {
                /** @description How many entries a page has. */
                limit?: number;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Only the operation with this key, bare or quoted as in the header. */
                idempotencyKey?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "id": "op_01kf0fv3dpeyt80w9nzcbvrcmt",
                     *           "operation": "POST /v1/payments",
                     *           "status": "completed",
                     *           "recoveryPoint": "payments.charge",
                     *           "attempts": 1,
                     *           "resource": "/v1/payments/pay_01kf0fv2wje87tas37vg7k03sp",
                     *           "response": {
                     *             "status": 201
                     *           },
                     *           "replays": 1,
                     *           "createdAt": "2026-01-15T09:30:00.120Z",
                     *           "completedAt": "2026-01-15T09:30:00.120Z",
                     *           "expiresAt": "2026-01-16T09:30:00.120Z",
                     *           "timeline": [
                     *             {
                     *               "at": "2026-01-15T09:30:00.120Z",
                     *               "event": "claimed",
                     *               "detail": "POST /v1/payments"
                     *             },
                     *             {
                     *               "at": "2026-01-15T09:30:00.120Z",
                     *               "event": "step-started",
                     *               "detail": "payments.charge"
                     *             },
                     *             {
                     *               "at": "2026-01-15T09:30:00.120Z",
                     *               "event": "provider-answered",
                     *               "detail": "payments.charge, attempt 1"
                     *             },
                     *             {
                     *               "at": "2026-01-15T09:30:00.120Z",
                     *               "event": "settled",
                     *               "detail": "201"
                     *             },
                     *             {
                     *               "at": "2026-01-15T09:30:00.120Z",
                     *               "event": "replayed",
                     *               "detail": "once"
                     *             }
                     *           ]
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["OperationPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-invalid" | "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    sealKey: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SealKey"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "idempotencyKey": "01a21a5b-7c00-7e5c-9f6e-0d7e6f3c2b1a",
                     *       "state": "sealed"
                     *     }
                     */
                    "application/json": components["schemas"]["SealedKey"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-invalid" | "invalid-request" | "malformed-json";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "operation-running";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    getOperation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the operation, from the header Operation-Id.
                 * @example op_01kf0fv3dpeyt80w9nzcbvrcmt
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "op_01kf0fv3dpeyt80w9nzcbvrcmt",
                     *       "operation": "POST /v1/payments",
                     *       "status": "completed",
                     *       "recoveryPoint": "payments.charge",
                     *       "attempts": 1,
                     *       "resource": "/v1/payments/pay_01kf0fv2wje87tas37vg7k03sp",
                     *       "response": {
                     *         "status": 201
                     *       },
                     *       "replays": 1,
                     *       "createdAt": "2026-01-15T09:30:00.120Z",
                     *       "completedAt": "2026-01-15T09:30:00.120Z",
                     *       "expiresAt": "2026-01-16T09:30:00.120Z",
                     *       "timeline": [
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "claimed",
                     *           "detail": "POST /v1/payments"
                     *         },
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "step-started",
                     *           "detail": "payments.charge"
                     *         },
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "provider-answered",
                     *           "detail": "payments.charge, attempt 1"
                     *         },
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "settled",
                     *           "detail": "201"
                     *         },
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "replayed",
                     *           "detail": "once"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Operation"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    decideOperation: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
            };
            path: {
                /**
                 * @description Id of the operation that is flagged.
                 * @example op_01kf0fv3dpeyt80w9nzcbvrcmt
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Decide"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Operation"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "op_01kf0fv3dpeyt80w9nzcbvrcmt",
                     *       "operation": "POST /v1/payments",
                     *       "status": "completed",
                     *       "recoveryPoint": "payments.charge",
                     *       "attempts": 1,
                     *       "resource": "/v1/payments/pay_01kf0fv2wje87tas37vg7k03sp",
                     *       "response": {
                     *         "status": 201
                     *       },
                     *       "replays": 1,
                     *       "createdAt": "2026-01-15T09:30:00.120Z",
                     *       "completedAt": "2026-01-15T09:30:00.120Z",
                     *       "expiresAt": "2026-01-16T09:30:00.120Z",
                     *       "timeline": [
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "claimed",
                     *           "detail": "POST /v1/payments"
                     *         },
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "step-started",
                     *           "detail": "payments.charge"
                     *         },
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "provider-answered",
                     *           "detail": "payments.charge, attempt 1"
                     *         },
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "settled",
                     *           "detail": "201"
                     *         },
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "replayed",
                     *           "detail": "once"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Operation"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-under-review" | "operation-running" | "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    resumeOperation: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the operation, from the header Operation-Id.
                 * @example op_01kf0fv3dpeyt80w9nzcbvrcmt
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "op_01kf0fv3dpeyt80w9nzcbvrcmt",
                     *       "operation": "POST /v1/payments",
                     *       "status": "completed",
                     *       "recoveryPoint": "payments.charge",
                     *       "attempts": 1,
                     *       "resource": "/v1/payments/pay_01kf0fv2wje87tas37vg7k03sp",
                     *       "response": {
                     *         "status": 201
                     *       },
                     *       "replays": 1,
                     *       "createdAt": "2026-01-15T09:30:00.120Z",
                     *       "completedAt": "2026-01-15T09:30:00.120Z",
                     *       "expiresAt": "2026-01-16T09:30:00.120Z",
                     *       "timeline": [
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "claimed",
                     *           "detail": "POST /v1/payments"
                     *         },
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "step-started",
                     *           "detail": "payments.charge"
                     *         },
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "provider-answered",
                     *           "detail": "payments.charge, attempt 1"
                     *         },
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "settled",
                     *           "detail": "201"
                     *         },
                     *         {
                     *           "at": "2026-01-15T09:30:00.120Z",
                     *           "event": "replayed",
                     *           "detail": "once"
                     *         }
                     *       ]
                     *     }
                     */
                    "application/json": components["schemas"]["Operation"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "operation-running";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    listOrders: {
        parameters: {
            query?: {
                /** @description How many entries a page has. */
                limit?: number;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Only orders with this status. */
                status?: "pending" | "paid" | "cancelled";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "id": "ord_01kf0fv330e05ba0skavc5nrw7",
                     *           "status": "pending",
                     *           "items": [
                     *             {
                     *               "productId": "123",
                     *               "name": "Harbour lamp",
                     *               "quantity": 2,
                     *               "unitPrice": 2500
                     *             }
                     *           ],
                     *           "currency": "EUR",
                     *           "total": 5000,
                     *           "customerReference": "cart-7781",
                     *           "metadata": {
                     *             "channel": "web"
                     *           },
                     *           "version": 1,
                     *           "createdAt": "2026-01-15T09:30:00.120Z",
                     *           "updatedAt": "2026-01-15T09:30:00.120Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["OrderPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    placeOrder: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
                /** @description Until when it is wanted: an HTTP date, or 1 to 86400 seconds from the arrival of the first request, by the database’s clock. What arrives later is not executed (409 `deadline-passed`). It is no part of what the key stands for; that of the first request counts. */
                "Request-Deadline"?: components["parameters"]["RequestDeadline"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateOrder"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "deadline-passed" | "insufficient-stock" | "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unknown-product" | "total-mismatch" | "currency-mismatch" | "total-too-large" | "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    placeOrders: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateBatch"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BatchResults"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    getOrder: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that the client has: when it is still the present one, the answer is 304 without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /**
                 * @description Id of the order.
                 * @example ord_01kf0fv330e05ba0skavc5nrw7
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "ord_01kf0fv330e05ba0skavc5nrw7",
                     *       "status": "pending",
                     *       "items": [
                     *         {
                     *           "productId": "123",
                     *           "name": "Harbour lamp",
                     *           "quantity": 2,
                     *           "unitPrice": 2500
                     *         }
                     *       ],
                     *       "currency": "EUR",
                     *       "total": 5000,
                     *       "customerReference": "cart-7781",
                     *       "metadata": {
                     *         "channel": "web"
                     *       },
                     *       "version": 1,
                     *       "createdAt": "2026-01-15T09:30:00.120Z",
                     *       "updatedAt": "2026-01-15T09:30:00.120Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Order"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    changeOrder: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
                /**
                 * @description ETag of the version that the change is meant for (RFC 9110, section 13.1.1).
                 * @example "1"
                 */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /**
                 * @description Id of the order.
                 * @example ord_01kf0fv330e05ba0skavc5nrw7
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["UpdateOrder"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "precondition-failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-reused";
                    };
                };
            };
            428: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "precondition-required";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    cancelOrder: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
            };
            path: {
                /**
                 * @description Id of the order.
                 * @example ord_01kf0fv330e05ba0skavc5nrw7
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CancelOrder"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Order"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "ord_01kf0fv330e05ba0skavc5nrw7",
                     *       "status": "cancelled",
                     *       "items": [
                     *         {
                     *           "productId": "123",
                     *           "name": "Harbour lamp",
                     *           "quantity": 2,
                     *           "unitPrice": 2500
                     *         }
                     *       ],
                     *       "currency": "EUR",
                     *       "total": 5000,
                     *       "customerReference": "cart-7781",
                     *       "metadata": {
                     *         "channel": "web"
                     *       },
                     *       "version": 2,
                     *       "createdAt": "2026-01-15T09:30:00.120Z",
                     *       "updatedAt": "2026-01-15T09:30:00.120Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Order"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "order-not-cancellable" | "payment-in-progress" | "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    listPayments: {
        parameters: {
            query?: {
                /** @description How many entries a page has. */
                limit?: number;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Only payments of this order. Card numbers are refused. */
                orderId?: string;
                /** @description Only payments with this status. */
                status?: "processing" | "succeeded" | "failed";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "id": "pay_01kf0fv2wje87tas37vg7k03sp",
                     *           "orderId": "ord_01kf0fv330e05ba0skavc5nrw7",
                     *           "status": "succeeded",
                     *           "amount": 5000,
                     *           "currency": "EUR",
                     *           "amountRefunded": 0,
                     *           "failureCode": null,
                     *           "providerReference": "ch_5f2c9a",
                     *           "version": 2,
                     *           "createdAt": "2026-01-15T09:30:00.120Z",
                     *           "updatedAt": "2026-01-15T09:30:00.120Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["PaymentPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    createPayment: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
                /** @description Until when it is wanted: an HTTP date, or 1 to 86400 seconds from the arrival of the first request, by the database’s clock. What arrives later is not executed (409 `deadline-passed`). It is no part of what the key stands for; that of the first request counts. */
                "Request-Deadline"?: components["parameters"]["RequestDeadline"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreatePayment"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Payment"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "pay_01kf0fv2wje87tas37vg7k03sp",
                     *       "orderId": "ord_01kf0fv330e05ba0skavc5nrw7",
                     *       "status": "processing",
                     *       "amount": 5000,
                     *       "currency": "EUR",
                     *       "amountRefunded": 0,
                     *       "failureCode": null,
                     *       "providerReference": null,
                     *       "version": 1,
                     *       "createdAt": "2026-01-15T09:30:00.120Z",
                     *       "updatedAt": "2026-01-15T09:30:00.120Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Payment"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payment-declined";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "order-not-payable" | "payment-in-progress" | "deadline-passed" | "idempotency-request-in-progress" | "idempotency-key-sealed" | "possible-duplicate";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "amount-mismatch" | "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "provider-unavailable" | "service-unavailable";
                    };
                };
            };
        };
    };
    getPayment: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the payment.
                 * @example pay_01kf0fv2wje87tas37vg7k03sp
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "pay_01kf0fv2wje87tas37vg7k03sp",
                     *       "orderId": "ord_01kf0fv330e05ba0skavc5nrw7",
                     *       "status": "succeeded",
                     *       "amount": 5000,
                     *       "currency": "EUR",
                     *       "amountRefunded": 0,
                     *       "failureCode": null,
                     *       "providerReference": "ch_5f2c9a",
                     *       "version": 2,
                     *       "createdAt": "2026-01-15T09:30:00.120Z",
                     *       "updatedAt": "2026-01-15T09:30:00.120Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Payment"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    createRefund: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
            };
            path: {
                /**
                 * @description Id of the payment.
                 * @example pay_01kf0fv2wje87tas37vg7k03sp
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["CreateRefund"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Refund"];
                };
            };
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "re_01kf0fv2xre889166n6hx7sz4y",
                     *       "paymentId": "pay_01kf0fv2wje87tas37vg7k03sp",
                     *       "amount": 1000,
                     *       "currency": "EUR",
                     *       "status": "processing",
                     *       "reason": "sent back",
                     *       "failureCode": null,
                     *       "version": 1,
                     *       "createdAt": "2026-01-15T09:30:00.120Z",
                     *       "updatedAt": "2026-01-15T09:30:00.120Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Refund"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            402: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "refund-declined";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "refund-exceeds-payment" | "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "provider-unavailable" | "service-unavailable";
                    };
                };
            };
        };
    };
    listProducts: {
        parameters: {
            query?: {
                /** @description How many entries a page has. */
                limit?: number;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "id": "123",
                     *           "name": "Harbour lamp",
                     *           "unitPrice": 2500,
                     *           "currency": "EUR",
                     *           "stock": 10000,
                     *           "version": 1
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["ProductPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    getProduct: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the product.
                 * @example 123
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "123",
                     *       "name": "Harbour lamp",
                     *       "unitPrice": 2500,
                     *       "currency": "EUR",
                     *       "stock": 10000,
                     *       "version": 1
                     *     }
                     */
                    "application/json": components["schemas"]["Product"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    putProduct: {
        parameters: {
            query?: never;
            header?: {
                /** @description `*`: only where there is nothing yet (RFC 9110, section 13.1.2). */
                "If-None-Match"?: components["parameters"]["IfNoneMatchOfChange"];
                /** @description ETag of the version that the change is meant for, or `*` for any (RFC 9110, section 13.1.1); without it for whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchIfAny"];
            };
            path: {
                /**
                 * @description Id of the product.
                 * @example 123
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PutProduct"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "123",
                     *       "name": "Harbour lamp",
                     *       "unitPrice": 2500,
                     *       "currency": "EUR",
                     *       "stock": 10000,
                     *       "version": 2
                     *     }
                     */
                    "application/json": components["schemas"]["Product"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "123",
                     *       "name": "Harbour lamp",
                     *       "unitPrice": 2500,
                     *       "currency": "EUR",
                     *       "stock": 0,
                     *       "version": 1
                     *     }
                     */
                    "application/json": components["schemas"]["Product"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "precondition-failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    deleteProduct: {
        parameters: {
            query?: never;
            header?: {
                /** @description `*`: only where there is nothing yet (RFC 9110, section 13.1.2). */
                "If-None-Match"?: components["parameters"]["IfNoneMatchOfChange"];
                /** @description ETag of the version that the change is meant for, or `*` for any (RFC 9110, section 13.1.1); without it for whatever is there. */
                "If-Match"?: components["parameters"]["IfMatchIfAny"];
            };
            path: {
                /**
                 * @description Id of the product.
                 * @example 123
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "precondition-failed";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    changeStock: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
            };
            path: {
                /**
                 * @description Id of the product.
                 * @example 123
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ChangeStock"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["StockChange"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-stock" | "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "stock-too-large" | "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    receiveProviderEvent: {
        parameters: {
            query?: never;
            header?: {
                /** @description Id of the event, the same whenever it is sent. */
                "webhook-id"?: string;
                /** @description When it was sent, in seconds since 1970. */
                "webhook-timestamp"?: string;
                /** @description `v1,` and the signature in base 64. */
                "webhook-signature"?: string;
                /** @description Instead of the three others, where the provider is Stripe. */
                "stripe-signature"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": unknown;
            };
        };
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-signature";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    getRefund: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the refund.
                 * @example re_01kf0fv2xre889166n6hx7sz4y
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "re_01kf0fv2xre889166n6hx7sz4y",
                     *       "paymentId": "pay_01kf0fv2wje87tas37vg7k03sp",
                     *       "amount": 1000,
                     *       "currency": "EUR",
                     *       "status": "succeeded",
                     *       "reason": "sent back",
                     *       "failureCode": null,
                     *       "version": 2,
                     *       "createdAt": "2026-01-15T09:30:00.120Z",
                     *       "updatedAt": "2026-01-15T09:30:00.120Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Refund"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    listTickets: {
        parameters: {
            query?: {
                /** @description How many entries a page has. */
                limit?: number;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Only tickets with this status. */
                status?: "open" | "pending" | "closed";
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "id": "tkt_01kf0fv329e5yr6dkty8rxn4xr",
                     *           "subject": "Lamp is dark",
                     *           "description": "One of the two lamps does not light up.",
                     *           "orderId": null,
                     *           "status": "open",
                     *           "priority": "normal",
                     *           "version": 1,
                     *           "createdAt": "2026-01-15T09:30:00.120Z",
                     *           "updatedAt": "2026-01-15T09:30:00.120Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["TicketPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    openTicket: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateTicket"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ticket"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    getTicket: {
        parameters: {
            query?: never;
            header?: {
                /** @description ETag of the version that the client has: when it is still the present one, the answer is 304 without a body. */
                "If-None-Match"?: components["parameters"]["IfNoneMatch"];
            };
            path: {
                /**
                 * @description Id of the ticket.
                 * @example tkt_01kf0fv329e5yr6dkty8rxn4xr
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "tkt_01kf0fv329e5yr6dkty8rxn4xr",
                     *       "subject": "Lamp is dark",
                     *       "description": "One of the two lamps does not light up.",
                     *       "orderId": null,
                     *       "status": "open",
                     *       "priority": "normal",
                     *       "version": 1,
                     *       "createdAt": "2026-01-15T09:30:00.120Z",
                     *       "updatedAt": "2026-01-15T09:30:00.120Z"
                     *     }
                     */
                    "application/json": components["schemas"]["Ticket"];
                };
            };
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    changeTicket: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
                /**
                 * @description ETag of the version that the change is meant for (RFC 9110, section 13.1.1).
                 * @example "1"
                 */
                "If-Match": components["parameters"]["IfMatch"];
            };
            path: {
                /**
                 * @description Id of the ticket.
                 * @example tkt_01kf0fv329e5yr6dkty8rxn4xr
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["UpdateTicket"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ticket"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "precondition-failed";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-reused";
                    };
                };
            };
            428: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "precondition-required";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    listWebhookEndpoints: {
        parameters: {
            query?: {
                /** @description How many entries a page has. */
                limit?: number;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "id": "we_01kf0fv3fpe1cb5sy4m9t6z8qd",
                     *           "url": "https://shop.example.com/webhooks",
                     *           "types": [
                     *             "order.paid",
                     *             "refund.succeeded"
                     *           ],
                     *           "description": "The warehouse",
                     *           "status": "enabled",
                     *           "disabledReason": null,
                     *           "failingSince": null,
                     *           "previousSecretValidUntil": null,
                     *           "createdAt": "2026-01-15T09:30:00.120Z",
                     *           "updatedAt": "2026-01-15T09:30:00.120Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["WebhookEndpointPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    createWebhookEndpoint: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["CreateWebhookEndpoint"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookEndpoint"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "webhook-endpoint-limit" | "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    getWebhookEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the endpoint.
                 * @example we_01kf0fv3fpe1cb5sy4m9t6z8qd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "id": "we_01kf0fv3fpe1cb5sy4m9t6z8qd",
                     *       "url": "https://shop.example.com/webhooks",
                     *       "types": [
                     *         "order.paid",
                     *         "refund.succeeded"
                     *       ],
                     *       "description": "The warehouse",
                     *       "status": "enabled",
                     *       "disabledReason": null,
                     *       "failingSince": null,
                     *       "previousSecretValidUntil": null,
                     *       "createdAt": "2026-01-15T09:30:00.120Z",
                     *       "updatedAt": "2026-01-15T09:30:00.120Z"
                     *     }
                     */
                    "application/json": components["schemas"]["WebhookEndpoint"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    deleteWebhookEndpoint: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the endpoint.
                 * @example we_01kf0fv3fpe1cb5sy4m9t6z8qd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    changeWebhookEndpoint: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
            };
            path: {
                /**
                 * @description Id of the endpoint.
                 * @example we_01kf0fv3fpe1cb5sy4m9t6z8qd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["UpdateWebhookEndpoint"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookEndpoint"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    listWebhookDeliveries: {
        parameters: {
            query?: {
                /** @description How many entries a page has. */
                limit?: number;
                /** @description `nextCursor` of the page before. */
                cursor?: string;
                /** @description Only deliveries with this status. */
                status?: "pending" | "delivered" | "dead";
            };
            header?: never;
            path: {
                /**
                 * @description Id of the endpoint.
                 * @example we_01kf0fv3fpe1cb5sy4m9t6z8qd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "data": [
                     *         {
                     *           "id": "dlv_01kf0fv3gqf4rvd0w2b7x5n3jm",
                     *           "endpointId": "we_01kf0fv3fpe1cb5sy4m9t6z8qd",
                     *           "eventId": "evt_01kf0fv3dqe8sr2nqx0d4m9t1k",
                     *           "eventType": "order.paid",
                     *           "status": "delivered",
                     *           "nextAttemptAt": null,
                     *           "attempts": [
                     *             {
                     *               "attempt": 1,
                     *               "at": "2026-01-15T09:30:00.120Z",
                     *               "status": 200,
                     *               "error": null,
                     *               "ms": 84
                     *             }
                     *           ],
                     *           "createdAt": "2026-01-15T09:30:00.120Z",
                     *           "completedAt": "2026-01-15T09:30:00.120Z"
                     *         }
                     *       ],
                     *       "nextCursor": null
                     *     }
                     */
                    "application/json": components["schemas"]["WebhookDeliveryPage"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    rotateWebhookSecret: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
            };
            path: {
                /**
                 * @description Id of the endpoint.
                 * @example we_01kf0fv3fpe1cb5sy4m9t6z8qd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["WebhookAction"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookEndpoint"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "secret-rotated-recently" | "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    getWebhookSecret: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /**
                 * @description Id of the endpoint.
                 * @example we_01kf0fv3fpe1cb5sy4m9t6z8qd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "secret": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                     *       "previousSecret": null,
                     *       "previousSecretValidUntil": null
                     *     }
                     */
                    "application/json": components["schemas"]["WebhookSecret"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
    testWebhookEndpoint: {
        parameters: {
            query?: never;
            header: {
                /**
                 * @description Names one intent of the client. Make a fresh one (a UUIDv7 is best) for each thing that you want done, and send it with every try of that thing: it is done once, and every later try gets the stored answer. 1 to 255 visible ASCII characters, bare (`abc`) or as a quoted RFC 9651 string (`"abc"`); both forms are the same key. All API keys of an account share its keys.
                 * @example 019bc0fd-8a38-74e0-94b0-1f5ba2f1ee14
                 */
                "Idempotency-Key": components["parameters"]["IdempotencyKey"];
                /** @description `wait=N` (RFC 7240): while the same key is still running, wait up to N seconds, at most 30, for its result instead of getting 409. `handling=lenient`, with a new key: where `x-idempotency` has a `duplicateWindow`, the request is meant, even if the same was asked under another key a moment ago. */
                Prefer?: components["parameters"]["Prefer"];
                /** @description Which try this is, counted from 1. It is recorded and changes nothing else. */
                "Retry-Attempt"?: components["parameters"]["RetryAttempt"];
                /** @description Why the client tries again. It is recorded and changes nothing else. */
                "Retry-Reason"?: components["parameters"]["RetryReason"];
            };
            path: {
                /**
                 * @description Id of the endpoint.
                 * @example we_01kf0fv3fpe1cb5sy4m9t6z8qd
                 */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["WebhookAction"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookDelivery"];
                };
            };
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "invalid-request" | "malformed-json" | "idempotency-key-missing" | "idempotency-key-invalid";
                    };
                };
            };
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unauthenticated";
                    };
                };
            };
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "insufficient-scope";
                    };
                };
            };
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "not-found";
                    };
                };
            };
            408: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "request-timeout";
                    };
                };
            };
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-request-in-progress" | "idempotency-key-sealed";
                    };
                };
            };
            410: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-expired";
                    };
                };
            };
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "payload-too-large";
                    };
                };
            };
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "unsupported-media-type";
                    };
                };
            };
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "idempotency-key-reused";
                    };
                };
            };
            429: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "rate-limited";
                    };
                };
            };
            500: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "internal-error";
                    };
                };
            };
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"] & {
                        /** @enum {string} */
                        code?: "service-unavailable";
                    };
                };
            };
        };
    };
}
