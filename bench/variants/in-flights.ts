import 'reflect-metadata';
import { OrdersInFlights } from './plain-orders.js';
import { serve } from './shell.js';

await serve(OrdersInFlights);
